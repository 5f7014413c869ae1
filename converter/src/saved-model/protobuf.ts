import { InferenceError } from "@nearside/core";
import { WireReader } from "./wire-reader.ts";

/**
 * Scalars as the tables name them. `int53` is an int64 that counts or addresses something: one that a double can't
 * hold exactly is an error.
 */
interface Scalars {
  bool: boolean;
  int32: number;
  uint32: number;
  int53: number;
  int64: bigint;
  uint64: bigint;
  fixed32: number;
  float: number;
  double: number;
  string: string;
  bytes: Uint8Array;
}

/**
 * A field: its number, its scalar or message, and how often it occurs. A plain scalar has protocol buffers' zero as its
 * default; a plain message and whatever is `optional` (a member of a oneof) is undefined where absent; map keys are
 * strings.
 */
export type Field = readonly [number: number, type: string, occurs?: "optional" | "repeated" | "map"];

/** Messages by name, each a table of its fields. Fields that aren't in the table are skipped. */
export type Messages = Readonly<Record<string, Readonly<Record<string, Field>>>>;

/** The decoded form of message `N` of `M`. */
export type Message<M extends Messages, N extends keyof M> = { readonly [F in keyof M[N]]: FieldValue<M, M[N][F]> };

type FieldValue<M extends Messages, F> = F extends readonly [number, infer T, "repeated"]
  ? readonly Value<M, T>[]
  : F extends readonly [number, infer T, "map"]
    ? ReadonlyMap<string, Value<M, T>>
    : F extends readonly [number, infer T, "optional"]
      ? Value<M, T> | undefined
      : F extends readonly [number, infer T]
        ? T extends keyof Scalars
          ? Scalars[T]
          : Value<M, T> | undefined
        : never;

type Value<M extends Messages, T> = T extends keyof Scalars ? Scalars[T] : T extends keyof M ? Message<M, T> : never;

/** Reads message `name` from all of `bytes`; `where` names the file in errors. Byte fields are views, not copies. */
export type Decode<M extends Messages> = <N extends keyof M & string>(
  name: N,
  bytes: Uint8Array,
  where: string,
) => Message<M, N>;

/** A decoder for these messages. It throws `data-loss` for bytes that are cut short or aren't such a message. */
export function createDecoder<M extends Messages>(messages: M): Decode<M> {
  const plans = new Map(Object.entries(messages).map(([name, fields]) => [name, createPlan(name, fields)]));
  return (name, bytes, where) => {
    const reader = new WireReader(bytes, where);
    // The plan was made from the very table that the type is inferred from.
    return readMessage(plans, name, reader, bytes.length, 0) as Message<M, typeof name>;
  };
}

/** What to do for each field number of one message, and the values it starts with. */
interface Plan {
  readonly name: string;
  readonly fields: ReadonlyMap<number, { readonly name: string; readonly field: Field }>;
}
type Plans = ReadonlyMap<string, Plan>;

function createPlan(name: string, fields: Readonly<Record<string, Field>>): Plan {
  return { name, fields: new Map(Object.entries(fields).map(([key, field]) => [field[0], { name: key, field }])) };
}

/** Deeper nesting than any TensorFlow model has; protocol buffers' own limit. */
const maxDepth = 100;

function readMessage(plans: Plans, name: string, reader: WireReader, end: number, depth: number): unknown {
  const plan = plans.get(name);
  if (plan === undefined) throw new InferenceError("internal", `protobuf: no table for message ${name}`);
  if (depth > maxDepth) throw reader.broken(`at most ${maxDepth} messages within each other`, "more");
  const message = emptyMessage(plan);
  while (reader.position < end) {
    const tag = reader.varint(end);
    if (tag < 8) throw reader.broken("a field number from 1 on", "0"); // zeros would else count as empty fields
    const known = plan.fields.get(Math.floor(tag / 8));
    if (known === undefined) {
      reader.skip(tag % 8, end);
    } else {
      readField(plans, message, known.name, known.field, tag % 8, reader, end, depth);
    }
  }
  return message;
}

function emptyMessage(plan: Plan): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const { name, field } of plan.fields.values()) {
    const [, type, occurs] = field;
    if (occurs === "repeated") message[name] = [];
    else if (occurs === "map") message[name] = new Map();
    else message[name] = occurs === undefined && isScalar(type) ? scalars[type].zero : undefined;
  }
  return message;
}

function readField(
  plans: Plans,
  message: Record<string, unknown>,
  name: string,
  [, type, occurs]: Field,
  wireType: number,
  reader: WireReader,
  end: number,
  depth: number,
): void {
  if (isScalar(type) && occurs !== "map") {
    const { wire, read } = scalars[type];
    if (occurs === "repeated" && wireType === 2 && wire !== 2) {
      const packedEnd = reader.lengthPrefix(end);
      const list = message[name] as unknown[]; // emptyMessage put it there
      while (reader.position < packedEnd) list.push(read(reader, packedEnd));
      return;
    }
    if (wireType !== wire) throw reader.broken(`wire type ${wire} for ${name}`, String(wireType));
    store(message, name, occurs, read(reader, end));
    return;
  }
  if (wireType !== 2) throw reader.broken(`wire type 2 for ${name}`, String(wireType));
  const fieldEnd = reader.lengthPrefix(end);
  if (occurs === "map") {
    const [key, value] = readMapEntry(plans, type, reader, fieldEnd, depth + 1);
    (message[name] as Map<string, unknown>).set(key, value); // emptyMessage put it there
    return;
  }
  store(message, name, occurs, readMessage(plans, type, reader, fieldEnd, depth + 1));
}

function store(message: Record<string, unknown>, name: string, occurs: Field[2], value: unknown): void {
  if (occurs === "repeated") {
    (message[name] as unknown[]).push(value); // emptyMessage put it there
  } else {
    message[name] = value;
  }
}

/** A map entry is a message `{ 1: key, 2: value }`, either of which may be absent. */
function readMapEntry(plans: Plans, type: string, reader: WireReader, end: number, depth: number): [string, unknown] {
  const fields = { key: [1, "string"], value: [2, type] } as const;
  const entry: Record<string, unknown> = { key: "", value: isScalar(type) ? scalars[type].zero : undefined };
  while (reader.position < end) {
    const tag = reader.varint(end);
    const number = Math.floor(tag / 8);
    if (number === 1) readField(plans, entry, "key", fields.key, tag % 8, reader, end, depth);
    else if (number === 2) readField(plans, entry, "value", fields.value, tag % 8, reader, end, depth);
    else reader.skip(tag % 8, end);
  }
  const value = entry.value ?? emptyMessage(plans.get(type) as Plan); // type is a message: scalars have their zero
  return [entry.key as string, value]; // read as a string just above
}

const utf8 = new TextDecoder();

const scalars = {
  bool: { wire: 0, zero: false, read: (reader: WireReader, end: number) => reader.varint64(end) !== 0n },
  int32: {
    wire: 0,
    zero: 0,
    read: (reader: WireReader, end: number) => Number(BigInt.asIntN(32, reader.varint64(end))),
  },
  uint32: {
    wire: 0,
    zero: 0,
    read: (reader: WireReader, end: number) => Number(BigInt.asUintN(32, reader.varint64(end))),
  },
  int53: { wire: 0, zero: 0, read: (reader: WireReader, end: number) => reader.int53(end) },
  int64: { wire: 0, zero: 0n, read: (reader: WireReader, end: number) => BigInt.asIntN(64, reader.varint64(end)) },
  uint64: { wire: 0, zero: 0n, read: (reader: WireReader, end: number) => reader.varint64(end) },
  fixed32: { wire: 5, zero: 0, read: (reader: WireReader, end: number) => reader.fixed(4, end).getUint32(0, true) },
  float: { wire: 5, zero: 0, read: (reader: WireReader, end: number) => reader.fixed(4, end).getFloat32(0, true) },
  double: { wire: 1, zero: 0, read: (reader: WireReader, end: number) => reader.fixed(8, end).getFloat64(0, true) },
  string: { wire: 2, zero: "", read: (reader: WireReader, end: number) => utf8.decode(reader.bytes(end)) },
  bytes: { wire: 2, zero: new Uint8Array(0), read: (reader: WireReader, end: number) => reader.bytes(end) },
} as const satisfies {
  [S in keyof Scalars]: { wire: number; zero: Scalars[S]; read: (reader: WireReader, end: number) => Scalars[S] };
};

function isScalar(type: string): type is keyof Scalars {
  return Object.hasOwn(scalars, type);
}
