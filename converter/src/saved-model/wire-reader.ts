import type { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";

/**
 * A place in bytes that hold numbers in base 128 (varints), as protocol buffers, sorted tables and snappy do. What is
 * read moves it on; nothing is read beyond `end`. Errors are `data-loss`, naming `where` and the place.
 */
export class WireReader {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;

  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
  }

  /** A varint that a double holds exactly: tags and lengths. */
  varint(end = this.#bytes.length): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte(end);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale >= 2 ** 42) throw this.broken("a number of at most 49 bits", "a longer one");
    }
  }

  /** Any varint, as an unsigned 64-bit number. */
  varint64(end: number): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte(end);
      low |= (byte & 127) << shift;
      if (byte < 128) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte(end);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw this.broken("a number of at most 10 bytes", "a longer one");
  }

  /** The lowest 32 bits of any varint, for `| 0` or `>>> 0`. */
  varint32(end: number): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte(end);
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw this.broken("a number of at most 10 bytes", "a longer one");
  }

  /** A varint that a double holds exactly, or a negative one. */
  int53(end: number): number {
    const value = Number(BigInt.asIntN(64, this.varint64(end)));
    if (!Number.isSafeInteger(value)) throw this.broken("a size below 2^53", String(value));
    return value;
  }

  /** The end of what the length that is read here announces. */
  lengthPrefix(end: number): number {
    const length = this.varint(end);
    if (length > end - this.position) {
      throw this.broken(`${length} more bytes`, String(end - this.position));
    }
    return this.position + length;
  }

  /** The bytes after the length that is read here, as a view. */
  bytes(end: number): Uint8Array {
    return this.take(this.varint(end), end);
  }

  /** The next `length` bytes, as a view. */
  take(length: number, end = this.#bytes.length): Uint8Array {
    const start = this.#pass(length, end);
    return this.#bytes.subarray(start, start + length);
  }

  /** The number in the next four bytes. */
  uint32(end: number): number {
    return this.#view.getUint32(this.#pass(4, end), true);
  }

  /** The number in the next four bytes. */
  float32(end: number): number {
    return this.#view.getFloat32(this.#pass(4, end), true);
  }

  /** The number in the next eight bytes. */
  float64(end: number): number {
    return this.#view.getFloat64(this.#pass(8, end), true);
  }

  /** Goes past a field of this wire type. */
  skip(wireType: number, end: number): void {
    if (wireType === 0) this.varint32(end);
    else if (wireType === 1) this.#pass(8, end);
    else if (wireType === 2) this.position = this.lengthPrefix(end);
    else if (wireType === 5) this.#pass(4, end);
    else throw this.broken("wire type 0, 1, 2 or 5", String(wireType));
  }

  /** A reader of the same bytes at another place. */
  at(position: number): WireReader {
    const reader = new WireReader(this.#bytes, this.#where);
    reader.position = position;
    return reader;
  }

  /** The error for what is here. */
  broken(expected: string, got: string): InferenceError {
    return damaged(`${this.#where}, byte ${this.position}`, expected, got);
  }

  /** Goes past the next `length` bytes, and tells where they are. */
  #pass(length: number, end: number): number {
    if (length > end - this.position) throw this.broken(`${length} more bytes`, String(end - this.position));
    this.position += length;
    return this.position - length;
  }

  #byte(end: number): number {
    const byte = this.position < end ? this.#bytes[this.position] : undefined;
    if (byte === undefined) throw this.broken("another byte", "the end");
    this.position += 1;
    return byte;
  }
}
