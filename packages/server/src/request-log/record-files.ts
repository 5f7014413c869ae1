import { createWriteStream, type WriteStream } from "node:fs";
import { toRecord } from "../protobuf/tf-record.ts";

/** A file is followed by another when it has so many bytes, so that what is finished can be moved away. */
const maxFileBytes = 256 * 2 ** 20;

/** What may wait for a disk that is slower than the requests. */
const maxWaitingBytes = 64 * 2 ** 20;

/** How writing a record ended: an error where it is in no file. */
export type OnWritten = (error?: Error) => void;

/** Appends records to TFRecord files, whose names begin alike and end in when they were begun. */
export class RecordFiles {
  readonly #prefix: string;
  readonly #onWritten: OnWritten;
  #stream: WriteStream | undefined;
  #fileBytes = 0;

  constructor(prefix: string, onWritten: OnWritten) {
    this.#prefix = prefix;
    this.#onWritten = onWritten;
  }

  /** Writes the record that is made here. It never throws: whatever fails is told to `onWritten`. */
  append(encode: () => Uint8Array): void {
    try {
      this.#append(encode());
    } catch (error) {
      this.#onWritten(error as Error); // nothing here throws anything else
    }
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await this.#endFile();
  }

  #append(bytes: Uint8Array): void {
    if (this.#fileBytes >= maxFileBytes) this.#endFile();
    const stream = this.#stream ?? this.#begin();
    if (stream.writableLength > maxWaitingBytes) {
      this.#onWritten(new Error(`the disk is too slow: ${maxWaitingBytes} bytes wait for it`));
      return;
    }
    const record = toRecord(bytes);
    this.#fileBytes += record.length;
    stream.write(record, (error) => this.#onWritten(error ?? undefined));
  }

  #begin(): WriteStream {
    const time = new Date().toISOString().replaceAll(/[-:.]/g, "");
    // Requests are their senders' affair: nobody else may read them.
    const stream = createWriteStream(`${this.#prefix}${time}-${process.pid}.tfrecord`, { flags: "a", mode: 0o600 });
    stream.on("error", () => {
      if (this.#stream === stream) this.#stream = undefined; // onWritten has the error; the next record tries anew
    });
    this.#stream = stream;
    this.#fileBytes = 0;
    return stream;
  }

  #endFile(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#fileBytes = 0;
    if (!stream || stream.closed) return Promise.resolve();
    return new Promise((resolve) => {
      stream.once("close", resolve);
      stream.end();
    });
  }
}
