import { InferenceError } from "@nearside/core";

/** Reads one answer of HTTP/1.1, of which only the status counts; its body is passed over. */
export class AnswerReader {
  /** Of the answer, once its head has been read. */
  status = 0;
  /** Whether the server closes the connection after it. */
  isLast = false;
  #unread: Buffer = Buffer.alloc(0);
  #isInBody = false;
  #isChunked = false;
  /** Of the body, or of the chunk that is being passed over. */
  #bytesLeft = 0;

  /** Reads on; returns whether the answer is whole. Throws `data-loss` for an answer whose end can't be told. */
  add(bytes: Buffer): boolean {
    this.#unread = this.#unread.length > 0 ? Buffer.concat([this.#unread, bytes]) : bytes;
    if (!this.#isInBody && !this.#readHead()) return false;
    return this.#isChunked ? this.#passChunks() : this.#pass();
  }

  #readHead(): boolean {
    const end = this.#unread.indexOf("\r\n\r\n");
    if (end === -1) return false;
    const head = this.#unread.toString("latin1", 0, end);
    this.#unread = this.#unread.subarray(end + 4);
    const length = /\r\ncontent-length:[ \t]*(\d{1,15})/i.exec(head)?.[1];
    this.status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1]);
    this.isLast = /\r\nconnection:[ \t]*close/i.test(head);
    this.#isChunked = /\r\ntransfer-encoding:[^\r]*chunked/i.test(head);
    if (Number.isNaN(this.status) || (length === undefined && !this.#isChunked)) {
      throw new InferenceError("data-loss", "an answer that is not HTTP/1.1 with a length or in chunks");
    }
    this.#bytesLeft = Number(length ?? 0);
    this.#isInBody = true;
    return true;
  }

  /** Passes over what belongs to the body or the chunk; returns whether that was all of it. */
  #pass(): boolean {
    const count = Math.min(this.#bytesLeft, this.#unread.length);
    this.#unread = this.#unread.subarray(count);
    this.#bytesLeft -= count;
    return this.#bytesLeft === 0;
  }

  /** A chunk is its size in hexadecimal, a line break, its bytes and a line break; the last one has no bytes. */
  #passChunks(): boolean {
    while (this.#pass()) {
      const end = this.#unread.indexOf("\r\n");
      if (end === -1) return false;
      const size = Number.parseInt(this.#unread.toString("latin1", 0, end), 16);
      if (Number.isNaN(size)) throw new InferenceError("data-loss", "an answer whose chunks have no size");
      if (size === 0) return this.#unread.length >= end + 4; // no server here sends trailers
      this.#unread = this.#unread.subarray(end + 2);
      this.#bytesLeft = size + 2;
    }
    return false;
  }
}
