import type { InferenceError } from "@nearside/core";
import { joinBytes } from "../join-bytes.ts";

/** A piece of protocol buffers' text format. `bytes` is what a string stands for. */
export interface TextToken {
  readonly kind: "word" | "string" | "symbol" | "end";
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Cuts protocol buffers' text format into words, quoted strings (joined where several follow each other) and symbols. */
export class TextTokens {
  readonly #text: string;
  readonly #where: string;
  readonly #fail: (where: string, expected: string, got: string) => InferenceError;
  #at = 0;
  #next: TextToken | undefined;

  constructor(text: string, where: string, fail: (where: string, expected: string, got: string) => InferenceError) {
    this.#text = text;
    this.#where = where;
    this.#fail = fail;
  }

  /** The next token; `end` for good at the end. */
  next(): TextToken {
    const token = this.#next ?? this.#read();
    this.#next = token.kind === "end" ? token : undefined;
    return token;
  }

  /** True, with the symbol taken, if it comes next. */
  takeSymbol(symbol: string): boolean {
    this.#next ??= this.#read();
    if (this.#next.kind !== "symbol" || this.#next.text !== symbol) return false;
    this.#next = undefined;
    return true;
  }

  /** An error that names the line. */
  broken(expected: string, got: string): InferenceError {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    return this.#fail(`${this.#where}, line ${line}`, expected, got);
  }

  #read(): TextToken {
    this.#match(/(?:\s+|#[^\n]*)*/y);
    const strings: Uint8Array[] = [];
    // What is quoted is cut at escapes first, so that no expression has to run over a long string twice.
    for (let quoted = this.#string(); quoted !== undefined; quoted = this.#string()) {
      strings.push(quoted);
      this.#match(/(?:\s+|#[^\n]*)*/y);
    }
    if (strings.length > 0) return { kind: "string", text: "…", bytes: joinBytes(strings) };
    const word = this.#match(/-?\s*[\w.+-]+/y);
    if (word !== "") return { kind: "word", text: word.replace(/\s/g, ""), bytes: none };
    const symbol = this.#text.charAt(this.#at);
    if (symbol === "") return { kind: "end", text: "the end", bytes: none };
    if (!"{}<>[]:,;/".includes(symbol)) throw this.broken("a word, a string or a brace", JSON.stringify(symbol));
    this.#at++;
    return { kind: "symbol", text: symbol, bytes: none };
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ""] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }

  #string(): Uint8Array | undefined {
    const quote = this.#text.charAt(this.#at);
    if (quote !== '"' && quote !== "'") return undefined;
    this.#at++;
    const parts: Uint8Array[] = [];
    for (;;) {
      const plain = this.#match(quote === '"' ? /[^"\\\n]+/y : /[^'\\\n]+/y);
      if (plain !== "") parts.push(encoder.encode(plain));
      const stop = this.#text.charAt(this.#at);
      if (stop === quote) break;
      if (stop !== "\\") throw this.broken("a closing quote", stop === "" ? "the end" : "a new line");
      const escaped = this.#match(/\\(?:[0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/y).slice(1);
      parts.push(this.#escaped(escaped));
    }
    this.#at++;
    return joinBytes(parts);
  }

  #escaped(text: string): Uint8Array {
    if (/^[0-7]/.test(text)) return Uint8Array.of(Number.parseInt(text, 8));
    if (/^[xX]./.test(text)) return Uint8Array.of(Number.parseInt(text.slice(1), 16));
    if (/^[uU]./.test(text)) {
      const point = Number.parseInt(text.slice(1), 16);
      if (point > 0x10ffff) throw this.broken("a Unicode character", `\\${text}`);
      return encoder.encode(String.fromCodePoint(point));
    }
    const letter = letters[text];
    if (letter === undefined) throw this.broken("an escape", `\\${text}`);
    return Uint8Array.of(letter);
  }
}

const encoder = new TextEncoder();
const none = new Uint8Array(0);

const letters: Readonly<Record<string, number | undefined>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  "'": 39,
  "?": 63,
  "\\": 92,
};
