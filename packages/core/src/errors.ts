/**
 * What went wrong, for programs to branch on, with the HTTP status and the gRPC status code that say the same on the
 * wire.
 */
export const errorCodes = {
  "invalid-argument": { http: 400, grpc: 3, means: "what the caller gave does not fit" },
  "not-found": { http: 404, grpc: 5, means: "no such model, version, signature or file" },
  "already-exists": { http: 409, grpc: 6, means: "the target is already there" },
  "data-loss": { http: 500, grpc: 15, means: "bytes are missing or are not what their checksum says" },
  unsupported: { http: 501, grpc: 12, means: "valid, but not something this software can do" },
  "no-backend": { http: 503, grpc: 9, means: "no backend here can run this model" },
  "device-lost": { http: 503, grpc: 14, means: "the device stopped answering" },
  "out-of-memory": { http: 507, grpc: 8, means: "the device has too little memory for this" },
  unavailable: { http: 503, grpc: 14, means: "the server or network cannot be reached now" },
  closed: { http: 409, grpc: 9, means: "the session was closed" },
  cancelled: { http: 499, grpc: 1, means: "the caller took the call back" },
  unauthenticated: { http: 401, grpc: 16, means: "the server has to be told who calls" },
  "permission-denied": { http: 403, grpc: 7, means: "who calls may not do this" },
  "failed-precondition": { http: 400, grpc: 9, means: "the server or model is not in a state for this" },
  "deadline-exceeded": { http: 504, grpc: 4, means: "it took longer than the caller or the server allows" },
  internal: { http: 500, grpc: 13, means: "a fault of this software" },
} as const;

/** The codes of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** The only error class: a `code` to branch on, a message for a person, and where there is one the `cause`. */
export class InferenceError extends Error {
  override readonly name = "InferenceError";
  readonly code: ErrorCode;
  /** How long to leave a server alone, where it asked for that. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, { retryAfterMs, ...options }: InferenceErrorOptions = {}) {
    super(shorten(message), options);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface InferenceErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
}

/** Names and values in a message may come from a hostile file; no person reads a million characters. */
const maxMessageLength = 10_000;

/** Cuts out the middle: where it happened stands at the beginning, the way out at the end. */
function shorten(message: string): string {
  if (message.length <= maxMessageLength) return message;
  return `${message.slice(0, maxMessageLength - 1000)} … ${message.slice(-997)}`;
}

/** The error itself, or what else was thrown as the cause of one that is `internal`. */
export function toInferenceError(thrown: unknown): InferenceError {
  if (thrown instanceof InferenceError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new InferenceError("internal", message, { cause: thrown });
}

/** An error as it crosses a thread or a network: structured cloning and JSON both drop the class and the code. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** As the transport tells it: a header of HTTP's. */
  readonly retryAfterMs?: number | undefined;
}

/** The wire form of anything that was thrown; what is not an InferenceError becomes `internal`. */
export function toWireError(thrown: unknown): WireError {
  const { code, message } = toInferenceError(thrown);
  return { code, message };
}

/** The error that a wire form stands for; a code unknown to this version becomes `internal`. */
export function fromWireError(wire: WireError): InferenceError {
  const { code, message, retryAfterMs } = wire;
  return new InferenceError(Object.hasOwn(errorCodes, code) ? code : "internal", message, { retryAfterMs });
}
