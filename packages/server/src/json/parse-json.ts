import { InferenceError } from "@nearside/core";

/** A JSON value. Whole numbers are bigint, so that int64 stays exact; numbers with a point or an exponent are number. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;

/** A JSON object. A map, so that no key has a meaning of its own (`__proto__`). Of a repeated key the first counts. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** True if `value` is a {@link JsonObject}. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

/** True if `value` is a JSON list. */
export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** No tensor is nested this deep, and the parser's stack is far from full. */
const maxDepth = 100;

/** The range of numbers that are integers to TensorFlow Serving; a longer one is a floating-point number. */
const smallestInteger = -(2n ** 63n);
const largestInteger = 2n ** 64n - 1n;

const numberToken = /-?(?:Inf(?:inity)?|NaN|(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)/y;
const spaces = /[ \t\r\n]*/y;
const words = new Map<string, JsonValue>([
  ["true", true],
  ["false", false],
  ["null", null],
]);
const namedNumbers = new Map([
  ["NaN", Number.NaN],
  ["-NaN", Number.NaN],
  ["Inf", Number.POSITIVE_INFINITY],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Inf", Number.NEGATIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/**
 * Parses the first JSON value of `text` as TensorFlow Serving does: NaN and infinities are numbers, integers keep all
 * their digits, and what follows the value is ignored. Throws `invalid-argument` with TensorFlow Serving's message.
 */
export function parseJson(text: string): JsonValue {
  if (text === "") throw new InferenceError("invalid-argument", "JSON Parse error: The document is empty");
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonValue {
    this.#skipSpaces();
    if (this.#position === this.#text.length) throw this.#error("The document is empty.");
    return this.#value(0);
  }

  #value(depth: number): JsonValue {
    if (depth > maxDepth) throw this.#error(`Nested deeper than ${maxDepth} levels.`);
    const first = this.#text[this.#position];
    if (first === "[") return this.#array(depth);
    if (first === "{") return this.#object(depth);
    if (first === '"') return this.#string();
    return this.#number() ?? this.#word();
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#position++;
    this.#skipSpaces();
    if (this.#take("]")) return items;
    while (true) {
      items.push(this.#value(depth + 1));
      this.#skipSpaces();
      if (this.#take("]")) return items;
      if (!this.#take(",")) throw this.#error("Missing a comma or ] after an array element.");
      this.#skipSpaces();
    }
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#position++;
    this.#skipSpaces();
    if (this.#take("}")) return members;
    while (true) {
      if (this.#text[this.#position] !== '"') throw this.#error("Missing a name for object member.");
      const name = this.#string();
      this.#skipSpaces();
      if (!this.#take(":")) throw this.#error("Missing a colon after a name of object member.");
      this.#skipSpaces();
      const value = this.#value(depth + 1);
      if (!members.has(name)) members.set(name, value);
      this.#skipSpaces();
      if (this.#take("}")) return members;
      if (!this.#take(",")) throw this.#error("Missing a comma or } after an object member.");
      this.#skipSpaces();
    }
  }

  #string(): string {
    const start = this.#position;
    let end = start;
    do {
      end = this.#text.indexOf('"', end + 1);
      if (end === -1) throw this.#error("Missing a closing quotation mark in string.");
    } while (this.#isEscaped(end, start));
    this.#position = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string; // in quotes, so a string
    } catch {
      this.#position = start;
      throw this.#error("Invalid escape character or encoding in string.");
    }
  }

  /** True if an odd number of backslashes stands before `position`. */
  #isEscaped(position: number, start: number): boolean {
    let backslashes = 0;
    while (position - 1 - backslashes > start && this.#text[position - 1 - backslashes] === "\\") backslashes++;
    return backslashes % 2 === 1;
  }

  #number(): JsonValue | undefined {
    numberToken.lastIndex = this.#position;
    const match = numberToken.exec(this.#text);
    if (!match) return undefined;
    this.#position = numberToken.lastIndex;
    const [token, fraction, exponent] = match;
    const named = namedNumbers.get(token);
    if (named !== undefined) return named;
    if (fraction !== undefined || exponent !== undefined) return Number(token);
    const whole = token.length < 16 ? BigInt(Number(token)) : BigInt(token); // the first is several times faster
    return whole >= smallestInteger && whole <= largestInteger ? whole : Number(token);
  }

  #word(): JsonValue {
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#position)) continue;
      this.#position += word.length;
      return value;
    }
    throw this.#error("Invalid value.");
  }

  #take(character: string): boolean {
    if (this.#text[this.#position] !== character) return false;
    this.#position++;
    return true;
  }

  #skipSpaces(): void {
    if (this.#text.charCodeAt(this.#position) > 0x20) return; // most often there are none
    spaces.lastIndex = this.#position;
    spaces.test(this.#text);
    this.#position = spaces.lastIndex;
  }

  #error(reason: string): InferenceError {
    const offset = Buffer.byteLength(this.#text.slice(0, this.#position));
    return new InferenceError("invalid-argument", `JSON Parse error: ${reason} at offset: ${offset}`);
  }
}
