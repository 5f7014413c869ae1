import type { Field, Message, Messages } from "@nearside/converter/protobuf";

/** What a message is written from: any of its fields; lists of numbers may be typed arrays. */
export type Draft<T> = T extends Uint8Array | string | number | bigint | boolean | undefined
  ? T
  : T extends ReadonlyMap<string, infer V>
    ? ReadonlyMap<string, Draft<V>>
    : T extends readonly (infer E)[]
      ? Iterable<Draft<E>>
      : { readonly [F in keyof T]?: Draft<T[F]> | undefined };

/** Writes message `name`, in protocol buffers' binary form. */
export type Encode<M extends Messages> = <N extends keyof M & string>(
  name: N,
  message: Draft<Message<M, N>>,
) => Uint8Array<ArrayBuffer>;

/** An encoder for these messages, the inverse of the decoder for the same tables. */
export function createEncoder<M extends Messages>(messages: M): Encode<M> {
  return (name, message) => {
    const bytes = new ByteList();
    writeMessage(messages, name, message as Readonly<Record<string, unknown>>, bytes); // a message is an object
    return bytes.join();
  };
}

function writeMessage(
  messages: Messages,
  name: string,
  message: Readonly<Record<string, unknown>>,
  bytes: ByteList,
): void {
  for (const [key, field] of Object.entries(messages[name] ?? {})) {
    const value = message[key];
    if (value !== undefined) writeField(messages, field, value, bytes);
  }
}

function writeField(messages: Messages, [number, type, occurs]: Field, value: unknown, bytes: ByteList): void {
  // The draft's type, made from the same table, says what each value is.
  if (occurs === "map") {
    const entry = { entry: { key: [1, "string"], value: [2, type, "optional"] } } as const;
    for (const [key, item] of value as ReadonlyMap<string, unknown>) {
      writeValue({ ...messages, ...entry }, number, "entry", { key, value: item }, bytes);
    }
  } else if (occurs === "repeated") {
    const scalar = packable[type];
    if (scalar) writePacked(number, scalar, value as Iterable<unknown>, bytes);
    else for (const item of value as Iterable<unknown>) writeValue(messages, number, type, item, bytes);
  } else if (occurs === "optional" || !isZero(value)) {
    writeValue(messages, number, type, value, bytes);
  }
}

function writeValue(messages: Messages, number: number, type: string, value: unknown, bytes: ByteList): void {
  const scalar = packable[type];
  if (scalar) {
    bytes.varint(number * 8 + scalar.wire);
    scalar.write(bytes, value);
    return;
  }
  const inner = new ByteList();
  if (type === "string") inner.push(encoder.encode(value as string));
  else if (type === "bytes") inner.push(value as Uint8Array);
  else writeMessage(messages, type, value as Readonly<Record<string, unknown>>, inner);
  writeDelimited(number, inner, bytes);
}

function writePacked(number: number, { write, array }: Packable, values: Iterable<unknown>, bytes: ByteList): void {
  const inner = new ByteList();
  if (array !== undefined && values instanceof array) {
    inner.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)); // little-endian, as machines are
  } else {
    for (const value of values) write(inner, value);
  }
  if (inner.length > 0) writeDelimited(number, inner, bytes);
}

function writeDelimited(number: number, inner: ByteList, bytes: ByteList): void {
  bytes.varint(number * 8 + 2);
  bytes.varint(inner.length);
  bytes.append(inner);
}

function isZero(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === "" || value === false || value === 0n || Object.is(value, 0); // −0 is another number
}

interface Packable {
  readonly wire: number;
  readonly write: (bytes: ByteList, value: unknown) => void;
  /** The typed array whose bytes are these values' packed form. */
  readonly array?: typeof Float32Array | typeof Float64Array;
}

/** The scalars that a list holds end to end. Negative integers take ten bytes, as 64-bit numbers. */
const packable: Readonly<Record<string, Packable | undefined>> = {
  bool: { wire: 0, write: (bytes, value) => bytes.byte(value ? 1 : 0) },
  int32: { wire: 0, write: (bytes, value) => bytes.integer(value as number) },
  uint32: { wire: 0, write: (bytes, value) => bytes.varint(value as number) },
  int53: { wire: 0, write: (bytes, value) => bytes.integer(value as number) },
  int64: { wire: 0, write: (bytes, value) => bytes.integer(value as bigint) },
  uint64: { wire: 0, write: (bytes, value) => bytes.integer(value as bigint) },
  fixed32: { wire: 5, write: (bytes, value) => bytes.push(new Uint8Array(Uint32Array.of(value as number).buffer)) },
  float: {
    wire: 5,
    write: (bytes, value) => bytes.push(new Uint8Array(Float32Array.of(value as number).buffer)),
    array: Float32Array,
  },
  double: {
    wire: 1,
    write: (bytes, value) => bytes.push(new Uint8Array(Float64Array.of(value as number).buffer)),
    array: Float64Array,
  },
};

const encoder = new TextEncoder();

/** Bytes that are collected piece by piece: large pieces as views, small ones together. */
class ByteList {
  length = 0;
  readonly #pieces: Uint8Array[] = [];
  #small: number[] = [];

  byte(value: number): void {
    this.#small.push(value);
    this.length++;
  }

  /** A number ≥ 0 in base 128, the lowest digits first. */
  varint(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) + 128);
    this.byte(rest);
  }

  /** A 64-bit number; a negative one in two's complement. */
  integer(value: number | bigint): void {
    if (value >= 0 && value < 2 ** 53) {
      this.varint(Number(value));
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 128n; rest >>= 7n) this.byte(Number(rest & 127n) + 128);
    this.byte(Number(rest));
  }

  push(piece: Uint8Array): void {
    if (piece.length <= 16) {
      for (const value of piece) this.byte(value);
      return;
    }
    this.#flush();
    this.#pieces.push(piece);
    this.length += piece.length;
  }

  append(other: ByteList): void {
    other.#flush();
    for (const piece of other.#pieces) this.push(piece);
  }

  join(): Uint8Array<ArrayBuffer> {
    this.#flush();
    const joined = new Uint8Array(this.length);
    let offset = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, offset);
      offset += piece.length;
    }
    return joined;
  }

  #flush(): void {
    if (this.#small.length === 0) return;
    this.#pieces.push(Uint8Array.from(this.#small));
    this.#small = [];
  }
}
