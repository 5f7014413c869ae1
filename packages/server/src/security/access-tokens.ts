import { createHash } from "node:crypto";
import { InferenceError } from "@nearside/core";

/** Who calls, by the token that was sent, and what for. */
export interface Client {
  /** The token's name, for logs and rate limits; undefined where no tokens are asked for. */
  readonly name: string | undefined;
  /** The models that it may use; null for all. */
  readonly models: ReadonlySet<string> | null;
  /** Whether it may load, unload and replace models. */
  readonly mayControl: boolean;
}

/** The clients of a server, by the SHA-256 of their tokens, in hexadecimal. */
export type AccessTokens = ReadonlyMap<string, Client>;

/**
 * Reads the file of tokens, of which it has only the hashes: `{ "tokens": [{ "name": "shop", "sha256": "…", "models":
 * ["digits"], "control": false }] }`; without `models` all are allowed. Throws `invalid-argument`, naming `where`.
 */
export function parseAccessTokens(text: string, where: string): AccessTokens {
  const document = parse(text, where);
  const list = isObject(document) ? document.tokens : undefined;
  if (!Array.isArray(list) || list.length === 0) throw invalid(where, '{ "tokens": […] } with one at least', text);
  const tokens = new Map<string, Client>();
  for (const [index, token] of list.entries()) {
    const { client, sha256 } = readToken(token, `${where}: tokens[${index}]`);
    if (tokens.has(sha256)) throw invalid(`${where}: tokens[${index}].sha256`, "each token once", "it twice");
    tokens.set(sha256, client);
  }
  return tokens;
}

/** The client that a header `Authorization: Bearer TOKEN` names. Throws `unauthenticated` where there is none such. */
export function clientOf(tokens: AccessTokens, authorization: string | undefined): Client {
  const token = /^bearer +(?<token>\S+) *$/i.exec(authorization ?? "")?.groups?.token;
  if (token === undefined) {
    throw new InferenceError("unauthenticated", "authorization: expected a header with a Bearer token, got none");
  }
  // How long a look-up of a hash takes tells nothing of the tokens.
  const client = tokens.get(createHash("sha256").update(token).digest("hex"));
  if (client) return client;
  throw new InferenceError("unauthenticated", "authorization: the token is not one of this server's");
}

const fields = ["name", "sha256", "models", "control"];

function readToken(token: unknown, where: string): { client: Client; sha256: string } {
  if (!isObject(token)) throw invalid(where, "an object", token);
  const unknown = Object.keys(token).find((field) => !fields.includes(field));
  if (unknown !== undefined) throw invalid(where, fields.join(", "), unknown); // a misspelled list would allow all
  const { name, sha256, models, control = false } = token;
  if (typeof name !== "string" || name === "") throw invalid(`${where}.name`, "a name", name);
  if (typeof sha256 !== "string" || !/^[\da-f]{64}$/i.test(sha256)) {
    throw invalid(`${where}.sha256`, "64 hexadecimal digits (printf %s TOKEN | sha256sum)", sha256);
  }
  if (models !== undefined && !isListOfNames(models)) throw invalid(`${where}.models`, "a list of names", models);
  if (typeof control !== "boolean") throw invalid(`${where}.control`, "true or false", control);
  const client = { name, models: models === undefined ? null : new Set(models), mayControl: control };
  return { client, sha256: sha256.toLowerCase() };
}

function isListOfNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InferenceError("invalid-argument", `${where}: expected JSON, got something else`, { cause });
  }
}

function invalid(where: string, expected: string, got: unknown): InferenceError {
  const text = typeof got === "string" ? got : JSON.stringify(got);
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${text}`);
}
