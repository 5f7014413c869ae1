import type { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import { dataTypes } from "../graph/data-type.ts";
import type { Field, Messages } from "./protobuf.ts";
import { type TextToken, TextTokens } from "./text-tokens.ts";

/** How a text is read that is not a model's. */
export interface TextOptions {
  /** Refuses fields that aren't in the table, as a text that a person wrote may have by mistake (default false). */
  readonly isStrict?: boolean;
  /** Makes the error for a place in the text; `data-loss` by default. */
  readonly fail?: (where: string, expected: string, got: string) => InferenceError;
}

/**
 * Reads message `name` from protocol buffers' text format (`saved_model.pbtxt`), by the same tables as the binary form,
 * and to the same values, lazy ones at once; fields that aren't in the table are skipped. Names of enumerations are
 * those of TensorFlow's element types, the only one that the tables have fields of. Throws `data-loss`, naming the line.
 */
export function decodeText(
  messages: Messages,
  name: string,
  text: string,
  where: string,
  { isStrict = false, fail = damaged }: TextOptions = {},
): unknown {
  return readMessage({ messages, isStrict }, name, new TextTokens(text, where, fail), 0);
}

interface Tables {
  readonly messages: Messages;
  readonly isStrict: boolean;
}

/** Deeper nesting than any TensorFlow model has; the limit of the binary form. */
const maxDepth = 100;

/** Fields up to the closing brace, or to the end of the text for the outermost message. */
function readMessage(tables: Tables, name: string, tokens: TextTokens, depth: number): Record<string, unknown> {
  if (depth > maxDepth) throw tokens.broken(`at most ${maxDepth} messages within each other`, "more");
  const fields = tables.messages[name] ?? {};
  const message: Record<string, unknown> = emptyMessage(fields);
  for (let token = tokens.next(); !isEnd(token, depth, tokens); token = tokens.next()) {
    if (token.kind === "symbol" && (token.text === "," || token.text === ";")) continue;
    if (token.kind === "symbol" && token.text === "[") {
      skipBrackets(tokens); // the name of an extension, or of the type within an Any
      skipValue(tokens, depth);
      continue;
    }
    if (token.kind !== "word") throw tokens.broken("the name of a field", JSON.stringify(token.text));
    const key = camelCase(token.text);
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field !== undefined) readField(tables, message, key, field, tokens, depth);
    else if (tables.isStrict)
      throw tokens.broken(`one of the fields ${Object.keys(fields).map(snakeCase).join(", ")}`, token.text);
    else skipValue(tokens, depth);
  }
  return message;
}

function isEnd({ kind, text }: TextToken, depth: number, tokens: TextTokens): boolean {
  if (kind === "end" && depth > 0) throw tokens.broken("a closing brace", "the end");
  return kind === "end" || (depth > 0 && kind === "symbol" && (text === "}" || text === ">"));
}

function emptyMessage(fields: Readonly<Record<string, Field>>): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, [, type, occurs]]) => {
    if (occurs === "repeated" || occurs === "lazy") return [key, []];
    if (occurs === "map") return [key, new Map()];
    return [key, occurs === undefined ? scalars[type]?.zero : undefined];
  });
  return Object.fromEntries(entries);
}

function readField(
  tables: Tables,
  message: Record<string, unknown>,
  key: string,
  [, type, occurs]: Field,
  tokens: TextTokens,
  depth: number,
): void {
  tokens.takeSymbol(":");
  if ((occurs === "repeated" || occurs === "lazy") && tokens.takeSymbol("[")) {
    while (!tokens.takeSymbol("]")) {
      if (!tokens.takeSymbol(",")) store(message, key, occurs, readValue(tables, type, tokens, depth));
    }
    return;
  }
  if (occurs !== "map") {
    store(message, key, occurs, readValue(tables, type, tokens, depth));
    return;
  }
  const entry = { key: [1, "string"], value: [2, type] } as const;
  open(tokens);
  const withEntry = { ...tables, messages: { ...tables.messages, [mapEntry]: entry } };
  const { key: name, value } = readMessage(withEntry, mapEntry, tokens, depth + 1);
  const given = value ?? emptyMessage(tables.messages[type] ?? {});
  (message[key] as Map<unknown, unknown>).set(name, given); // emptyMessage put it there
}

/** The table of a map's entries, under a name that no message has. */
const mapEntry = "(map entry)";

function readValue(tables: Tables, type: string, tokens: TextTokens, depth: number): unknown {
  const scalar = scalars[type];
  if (scalar === undefined) {
    open(tokens);
    return readMessage(tables, type, tokens, depth + 1);
  }
  const token = tokens.next();
  const value = scalar.kind === token.kind ? scalar.read(token) : undefined;
  if (value === undefined) throw tokens.broken(`a value of type ${type}`, JSON.stringify(token.text));
  return value;
}

function open(tokens: TextTokens): void {
  const { kind, text } = tokens.next();
  if (kind !== "symbol" || (text !== "{" && text !== "<"))
    throw tokens.broken("an opening brace", JSON.stringify(text));
}

function store(message: Record<string, unknown>, key: string, occurs: Field[2], value: unknown): void {
  if (occurs === "repeated" || occurs === "lazy") {
    (message[key] as unknown[]).push(occurs === "lazy" ? () => value : value); // emptyMessage put it there
  } else {
    message[key] = value;
  }
}

function skipBrackets(tokens: TextTokens): void {
  for (let token = tokens.next(); token.text !== "]"; token = tokens.next()) {
    if (token.kind === "end") throw tokens.broken("a closing bracket", "the end");
  }
}

/** Skips a scalar, a list or a message. */
function skipValue(tokens: TextTokens, depth: number): void {
  tokens.takeSymbol(":");
  let open = depth;
  do {
    const { kind, text } = tokens.next();
    if (kind === "end") throw tokens.broken("a value", "the end");
    if (kind === "symbol" && "{<[".includes(text)) open++;
    if (kind === "symbol" && "}>]".includes(text)) open--;
  } while (open > depth);
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

interface TextScalar {
  readonly zero: unknown;
  readonly kind: TextToken["kind"];
  /** The value, or undefined where the token isn't one. */
  read(token: TextToken): unknown;
}

const utf8 = new TextDecoder();

const number: TextScalar = { zero: 0, kind: "word", read: ({ text }) => numberOf(text) };
const whole: TextScalar = { zero: 0, kind: "word", read: ({ text }) => wholeOf(text) };
const long: TextScalar = { zero: 0n, kind: "word", read: ({ text }) => longOf(text) };
const scalars: Readonly<Record<string, TextScalar | undefined>> = {
  bool: { zero: false, kind: "word", read: ({ text }) => booleans.get(text) },
  int32: whole,
  uint32: whole,
  int53: whole,
  fixed32: whole,
  int64: long,
  uint64: long,
  float: number,
  double: number,
  string: { zero: "", kind: "string", read: ({ bytes }) => utf8.decode(bytes) },
  bytes: { zero: new Uint8Array(0), kind: "string", read: ({ bytes }) => bytes },
};

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["true", "True", "t", "1"].map((text) => [text, true] as const),
  ...["false", "False", "f", "0"].map((text) => [text, false] as const),
]);

/** A whole number in any of C's notations, or the name of an element type (with `_REF` for a reference to one). */
function wholeOf(text: string): number | undefined {
  const type = text.replace(/_REF$/, "");
  if (Object.hasOwn(dataTypes, type)) {
    return dataTypes[type as keyof typeof dataTypes].number + (type === text ? 0 : 100); // hasOwn just told
  }
  const value = longOf(text);
  return value === undefined || !Number.isSafeInteger(Number(value)) ? undefined : Number(value);
}

function longOf(text: string): bigint | undefined {
  const [, sign, digits = ""] = /^(-?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(text) ?? [];
  if (digits === "") return undefined;
  const value = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return sign === "-" ? -value : value;
}

function numberOf(text: string): number | undefined {
  const word = text.toLowerCase().replace(/f$/, "");
  if (word === "nan" || word === "-nan") return Number.NaN;
  if (/^-?in(f|finity)?$/.test(word)) return word.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(word);
  return word === "" || Number.isNaN(value) ? undefined : value;
}

/** The size, if it is one that a string can hold; throws `data-loss` otherwise. */
export function checkTextSize(sizeBytes: number, where: string): number {
  if (sizeBytes > 0 && sizeBytes < 2 ** 29) return sizeBytes;
  throw damaged(where, "a text file of up to 512 MiB", `${sizeBytes} bytes`);
}
