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
 * strings; `lazy` is a repeated message whose elements are decoded when they are asked for.
 */
export type Field = readonly [number: number, type: string, occurs?: "optional" | "repeated" | "map" | "lazy"];

/** Messages by name, each a table of its fields. Fields that aren't in the table are skipped. */
export type Messages = Readonly<Record<string, Readonly<Record<string, Field>>>>;

/** The decoded form of message `N` of `M`. */
export type Message<M extends Messages, N extends keyof M> = { readonly [F in keyof M[N]]: FieldValue<M, M[N][F]> };

/** Decodes a message: as what the table says it is, or as one with fewer fields of the same numbers. */
export type Lazy<M extends Messages> = <N extends keyof M & string>(name: N) => Message<M, N>;

type FieldValue<M extends Messages, F> = F extends readonly [number, unknown, "lazy"]
  ? readonly Lazy<M>[]
  : F extends readonly [number, infer T, "repeated"]
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
  const plans = new Map(Object.entries(messages).map(([name, fields]) => [name, createPlan(fields)]));
  return (name, bytes, where) => {
    const reader = new WireReader(bytes, where);
    // The plan was made from the very table that the type is inferred from.
    return readMessage(plans, name, reader, bytes.length, 0) as Message<M, typeof name>;
  };
}

/** A message's fields by their numbers, and the values that it starts with where those aren't new lists or maps. */
interface Plan {
  readonly fields: readonly (PlannedField | undefined)[];
  readonly collections: readonly PlannedField[];
  readonly zeros: Readonly<Record<string, unknown>>;
}

interface PlannedField {
  readonly name: string;
  readonly type: string;
  readonly occurs: Field[2];
  readonly scalar: Scalar | undefined;
}

type Plans = ReadonlyMap<string, Plan>;

function createPlan(table: Readonly<Record<string, Field>>): Plan {
  const fields: PlannedField[] = [];
  for (const [name, [number, type, occurs]] of Object.entries(table)) fields[number] = plannedField(name, type, occurs);
  const isCollection = ({ occurs }: PlannedField) => occurs !== undefined && occurs !== "optional";
  const zero = ({ occurs, scalar }: PlannedField) => (occurs === undefined ? scalar?.zero : undefined);
  const present = Object.values(fields);
  return {
    fields,
    collections: present.filter(isCollection),
    zeros: Object.fromEntries(present.map((field) => [field.name, zero(field)])),
  };
}

function plannedField(name: string, type: string, occurs?: Field[2]): PlannedField {
  return { name, type, occurs, scalar: isScalar(type) ? scalars[type] : undefined };
}

/** Deeper nesting than any TensorFlow model has; protocol buffers' own limit. */
const maxDepth = 100;

function planOf(plans: Plans, name: string): Plan {
  const plan = plans.get(name);
  if (plan === undefined) throw new InferenceError("internal", `protobuf: no table for message ${name}`);
  return plan;
}

function readMessage(plans: Plans, name: string, reader: WireReader, end: number, depth: number): unknown {
  const plan = planOf(plans, name);
  if (depth > maxDepth) throw reader.broken(`at most ${maxDepth} messages within each other`, "more");
  const message = emptyMessage(plan);
  while (reader.position < end) {
    const tag = reader.varint(end);
    if (tag < 8) throw reader.broken("a field number from 1 on", "0"); // zeros would else count as empty fields
    const field = plan.fields[Math.floor(tag / 8)];
    if (field === undefined) reader.skip(tag % 8, end);
    else readField(plans, message, field, tag % 8, reader, end, depth);
  }
  return message;
}

function emptyMessage({ zeros, collections }: Plan): Record<string, unknown> {
  const message: Record<string, unknown> = { ...zeros };
  for (const { name, occurs } of collections) message[name] = occurs === "map" ? new Map() : [];
  return message;
}

function readField(
  plans: Plans,
  message: Record<string, unknown>,
  { name, type, occurs, scalar }: PlannedField,
  wireType: number,
  reader: WireReader,
  end: number,
  depth: number,
): void {
  if (scalar !== undefined && occurs !== "map") {
    const { wire, read } = scalar;
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
  } else if (occurs === "lazy") {
    const start = reader.position;
    const decode = (as: string) => readMessage(plans, as, reader.at(start), fieldEnd, depth + 1);
    (message[name] as unknown[]).push(decode); // emptyMessage put it there
    reader.position = fieldEnd;
  } else {
    store(message, name, occurs, readMessage(plans, type, reader, fieldEnd, depth + 1));
  }
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
  const valueField = plannedField("value", type);
  const entry: Record<string, unknown> = { key: "", value: valueField.scalar?.zero };
  while (reader.position < end) {
    const tag = reader.varint(end);
    const number = Math.floor(tag / 8);
    if (number === 1) readField(plans, entry, keyField, tag % 8, reader, end, depth);
    else if (number === 2) readField(plans, entry, valueField, tag % 8, reader, end, depth);
    else reader.skip(tag % 8, end);
  }
  const value = entry.value ?? emptyMessage(planOf(plans, type)); // scalars have their zero
  return [entry.key as string, value]; // read as a string just above
}

const utf8 = new TextDecoder();

const scalars = {
  bool: { wire: 0, zero: false, read: (reader: WireReader, end: number) => reader.varint64(end) !== 0n },
  int32: { wire: 0, zero: 0, read: (reader: WireReader, end: number) => reader.varint32(end) | 0 },
  uint32: { wire: 0, zero: 0, read: (reader: WireReader, end: number) => reader.varint32(end) >>> 0 },
  int53: { wire: 0, zero: 0, read: (reader: WireReader, end: number) => reader.int53(end) },
  int64: { wire: 0, zero: 0n, read: (reader: WireReader, end: number) => BigInt.asIntN(64, reader.varint64(end)) },
  uint64: { wire: 0, zero: 0n, read: (reader: WireReader, end: number) => reader.varint64(end) },
  fixed32: { wire: 5, zero: 0, read: (reader: WireReader, end: number) => reader.uint32(end) },
  float: { wire: 5, zero: 0, read: (reader: WireReader, end: number) => reader.float32(end) },
  double: { wire: 1, zero: 0, read: (reader: WireReader, end: number) => reader.float64(end) },
  string: { wire: 2, zero: "", read: (reader: WireReader, end: number) => utf8.decode(reader.bytes(end)) },
  bytes: { wire: 2, zero: new Uint8Array(0), read: (reader: WireReader, end: number) => reader.bytes(end) },
} as const satisfies { [S in keyof Scalars]: Scalar<Scalars[S]> };

interface Scalar<T = unknown> {
  readonly wire: number;
  readonly zero: T;
  readonly read: (reader: WireReader, end: number) => T;
}

/** The key of a map entry. */
const keyField = plannedField("key", "string");

function isScalar(type: string): type is keyof Scalars {
  return Object.hasOwn(scalars, type);
}
