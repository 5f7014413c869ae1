import type { IncomingHttpHeaders } from "node:http";
import { httpStatuses, InferenceError, toWireError } from "@nearside/core";
import type { Repository } from "./repository/repository.ts";
import { isTooMany } from "./security/guard.ts";

/** A request over HTTP: its path as it was sent, without the query, and the whole body, decompressed. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  /** Aborted when the client goes away, or has waited long enough. */
  readonly signal: AbortSignal;
}

/** What is sent back. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** The error that the body tells of, for the log. */
  readonly error?: unknown;
}

/** One of the server's APIs: a function from a request to a reply. It answers errors in its own form, never rejects. */
export type Route = (request: HttpRequest, repository: Repository) => Promise<HttpReply>;

/** A reply with this value as JSON, indented by `indent` spaces. */
export function jsonReply(value: unknown, { indent = 0 } = {}): HttpReply {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(value, null, indent) };
}

/** What else a reply with this status tells. */
const headersOf: Readonly<Record<number, (error: unknown) => Readonly<Record<string, string>>>> = {
  401: () => ({ "www-authenticate": "Bearer" }),
  429: (error) => ({
    "retry-after": String(isTooMany(error) ? Math.ceil(error.retryAfterMs / 1000) : retryAfterSeconds),
  }),
  503: () => ({ "retry-after": String(retryAfterSeconds) }),
};

/** When a client may try again what the server can't do now: a backend starts in about as long. */
export const retryAfterSeconds = 1;

/** A reply that tells what went wrong: TensorFlow Serving's `{ error }`, or `{ error, code }` with `isV1` false. */
export function errorReply(error: unknown, { isV1 }: { readonly isV1: boolean }): HttpReply {
  const { code, message } = toWireError(error);
  const reply = isV1 ? jsonReply({ error: message }, { indent: 4 }) : jsonReply({ error: message, code });
  const status = isTooMany(error) ? 429 : httpStatuses[code];
  const headers = { ...reply.headers, ...headersOf[status]?.(error) };
  return { ...reply, status, headers, error };
}

/** A part of a URL's path, decoded. Throws `invalid-argument` where the percent signs in it are wrong. */
export function decodePathPart(part: string, what: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new InferenceError("invalid-argument", `Failed to decode ${what}: ${part}`, { cause });
  }
}
