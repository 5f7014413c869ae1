import { InferenceError, type Shard } from "@nearside/core";
import { broken } from "./verify-shard.ts";

/** What has come of a shard so far, and what the next request may add to it. */
export class PartialShard {
  readonly #shard: Shard;
  readonly #onBytes: (count: number) => void;
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #url: string | undefined;
  #validator: string | undefined;
  #totalBytes = 0;

  constructor(shard: Shard, onBytes: (count: number) => void) {
    this.#shard = shard;
    this.#onBytes = onBytes;
  }

  /** All the bytes that ever came, in vain or not. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** What tells this version of the file from another. */
  get validator(): string | undefined {
    return this.#validator;
  }

  /**
   * The headers of a request for what is missing. Parts of two versions of a file are never put together: where the
   * manifest has a hash, that shows them; where not, `If-Range` asks for the whole if the file has changed, and without
   * a validator that allows it, or from another address, all begins again.
   */
  resume(url: string): { readonly range?: string; readonly "if-range"?: string } {
    const canMix = this.#shard.sha256 !== null || (url === this.#url && this.#isStrong(url));
    if (!canMix) this.discard();
    if (this.#bytes === 0) return {};
    const range = `bytes=${this.#bytes}-`;
    return this.#shard.sha256 === null ? { range, "if-range": this.#validator as string } : { range }; // isStrong saw it
  }

  /** Takes note of what answers, and returns its validator. */
  begin(url: string, response: Response): string | undefined {
    const { status, headers } = response;
    if (status !== 206) this.discard(); // the whole: it has changed, or the server knows no ranges
    const range = headers.get("content-range"); // which other origins may hide
    if (status === 206 && range && !range.startsWith(`bytes ${this.#bytes}-`)) {
      throw broken(url, `bytes from ${this.#bytes} on`, range);
    }
    this.#url = url;
    this.#validator = headers.get("etag") ?? headers.get("last-modified") ?? undefined;
    return this.#validator;
  }

  /** Adds what came. Throws `data-loss` if that is more than the shard has. */
  add(part: Uint8Array<ArrayBuffer>): void {
    this.#parts.push(part);
    this.#bytes += part.byteLength;
    this.#totalBytes += part.byteLength;
    this.#onBytes(part.byteLength);
    const { bytes } = this.#shard;
    if (bytes !== null && this.#bytes > bytes) throw broken(this.#url ?? this.#shard.path, `${bytes} bytes`, "more");
  }

  /** Forgets what has come. */
  discard(): void {
    if (this.#bytes > 0) this.#onBytes(-this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
  }

  /** The bytes so far, end to end. */
  join(): ArrayBuffer {
    const joined = allocate(this.#bytes, this.#shard.path);
    let at = 0;
    for (const part of this.#parts) {
      joined.set(part, at);
      at += part.byteLength;
    }
    return joined.buffer;
  }

  /** Whether `If-Range` may be sent: with a strong validator, and to our own origin, as others must allow the header. */
  #isStrong(url: string): boolean {
    return this.#validator?.startsWith('"') === true && new URL(url).origin === globalThis.location?.origin;
  }
}

function allocate(bytes: number, name: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new InferenceError("out-of-memory", `${name}: no memory for its ${bytes} bytes`, { cause });
  }
}
