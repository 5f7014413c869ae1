/** What went wrong, for programs to branch on. */
export const errorCodes = [
  /** What the caller gave does not fit. */
  "invalid-argument",
  /** No such model, version, signature or file. */
  "not-found",
  /** The target is already there. */
  "already-exists",
  /** Bytes are missing or are not what their checksum says. */
  "data-loss",
  /** Valid, but not something this software can do. */
  "unsupported",
  /** No backend here can run this model. */
  "no-backend",
  /** The device stopped answering. */
  "device-lost",
  /** The device has too little memory for this. */
  "out-of-memory",
  /** The server or network cannot be reached now. */
  "unavailable",
  /** The session was closed. */
  "closed",
  /** The caller took the call back. */
  "cancelled",
  /** The server has to be told who calls. */
  "unauthenticated",
  /** Who calls may not do this. */
  "permission-denied",
  /** The server or model is not in a state for this. */
  "failed-precondition",
  /** It took longer than the caller or the server allows. */
  "deadline-exceeded",
  /** A fault of this software. */
  "internal",
] as const;

/** The codes of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number];

/** The only error class: a `code` to branch on, a message for a person, and where there is one the `cause`. */
export class InferenceError extends Error {
  override readonly name = "InferenceError";
  readonly code: ErrorCode;
  /** How long to leave a server alone, where it asked for that. */
  readonly retryAfterMs: number | undefined;

  /** By name, since scripts that are bundled apart have a copy of this class each. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "InferenceError" && "code" in value;
  }

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
  /** Over HTTP it is a header. */
  readonly retryAfterMs?: number | undefined;
}

/** The wire form of anything that was thrown; what is not an InferenceError becomes `internal`. */
export function toWireError(thrown: unknown): WireError {
  const { code, message, retryAfterMs } = toInferenceError(thrown);
  return { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** The error that a wire form stands for; a code unknown to this version becomes `internal`. */
export function fromWireError(wire: WireError): InferenceError {
  const { code, message, retryAfterMs } = wire;
  return new InferenceError(errorCodes.includes(code) ? code : "internal", message, { retryAfterMs });
}
