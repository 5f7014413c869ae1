import { messages } from "../../converter/src/saved-model/messages.ts";

/** A protocol buffer as it lies in a file, down to the messages that the converter knows; it can be changed in place. */
export interface Message {
  /** The name of the message, or that of a map's values for an entry of the map. */
  readonly type: string;
  readonly isEntry: boolean;
  fields: Field[];
}

/** A field: a number as a varint, bytes (of strings and fixed numbers, too), or a message. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  value: bigint | Uint8Array | Message;
  /** A length to write that isn't the value's. */
  lie?: bigint;
}

type Table = Readonly<Record<string, Readonly<Record<string, readonly [number, string, string?]>>>>;
const table: Table = messages;

/** What the converter takes field `number` of a message for. */
export function schemaOf({ type, isEntry }: Message, number: number): { type: string; occurs?: string } | undefined {
  if (isEntry) return number === 1 ? { type: "string" } : number === 2 ? { type } : undefined;
  const found = Object.values(table[type] ?? {}).find(([each]) => each === number);
  return found && { type: found[1], ...(found[2] === undefined ? {} : { occurs: found[2] }) };
}

/** The number of a message's field. */
export function numberOf(type: string, name: string): number {
  const field = table[type]?.[name];
  if (field === undefined) throw new Error(`no field ${type}.${name}`);
  return field[0];
}

/** Parses bytes that are sound. */
export function parseTree(bytes: Uint8Array, type: string, isEntry = false): Message {
  const message: Message = { type, isEntry, fields: [] };
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    at = tag.end;
    const [number, wire] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
    if (wire === 0) {
      const { value, end } = readVarint(bytes, at);
      message.fields.push({ number, wire, value });
      at = end;
      continue;
    }
    const prefix = wire === 2 ? readVarint(bytes, at) : { value: wire === 1 ? 8n : 4n, end: at };
    at = prefix.end + Number(prefix.value);
    const value = bytes.subarray(prefix.end, at);
    const schema = wire === 2 ? schemaOf(message, number) : undefined;
    const isMessage = schema !== undefined && (schema.occurs === "map" || table[schema.type] !== undefined);
    message.fields.push({
      number,
      wire,
      value: isMessage ? parseTree(value, schema.type, schema.occurs === "map") : value,
    });
  }
  return message;
}

/** The bytes of a message. */
export function encodeTree({ fields }: Message): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { number, wire, value, lie } of fields) {
    parts.push(varint(BigInt(number * 8 + wire)));
    if (typeof value === "bigint") {
      parts.push(varint(value));
      continue;
    }
    const bytes = value instanceof Uint8Array ? value : encodeTree(value);
    if (wire === 2) parts.push(varint(lie ?? BigInt(bytes.length)));
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** All messages in a message, itself first. */
export function allMessages(root: Message): Message[] {
  const found = [root];
  // The list grows while it is walked, by what is in the messages in it.
  for (const message of found) {
    for (const { value } of message.fields) if (isMessage(value)) found.push(value);
  }
  return found;
}

/** The messages of a type, but for the entries of maps to it. */
export function messagesOf(root: Message, type: string): Message[] {
  return allMessages(root).filter((message) => message.type === type && !message.isEntry);
}

/** The texts of a message's field. */
export function textsOf(message: Message, name: string): string[] {
  const number = numberOf(message.type, name);
  return message.fields.flatMap((field) =>
    field.number === number && field.value instanceof Uint8Array ? [decoder.decode(field.value)] : [],
  );
}

export function isMessage(value: Field["value"]): value is Message {
  return typeof value === "object" && !(value instanceof Uint8Array);
}

/** A field of a message, by its name. */
export function field(type: string, name: string, value: bigint | string | Uint8Array | Message): Field {
  const given = typeof value === "string" ? encoder.encode(value) : value;
  return { number: numberOf(type, name), wire: typeof given === "bigint" ? 0 : 2, value: given };
}

/** An entry of a map. */
export function entry(valueType: string, key: string, value: Message): Message {
  const fields = [
    { number: 1, wire: 2, value: encoder.encode(key) },
    { number: 2, wire: 2, value },
  ];
  return { type: valueType, isEntry: true, fields };
}

/** A message of these fields. */
export function message(type: string, fields: Field[]): Message {
  return { type, isEntry: false, fields };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function readVarint(bytes: Uint8Array, start: number): { value: bigint; end: number } {
  let value = 0n;
  for (let at = start, shift = 0n; ; at++, shift += 7n) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value, end: at + 1 };
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
