import type { ErrorCode } from "./errors.ts";

/** The HTTP status that says on the wire what an error's code says. */
export const httpStatuses: Readonly<Record<ErrorCode, number>> = {
  "invalid-argument": 400,
  "not-found": 404,
  "already-exists": 409,
  "data-loss": 500,
  unsupported: 501,
  "no-backend": 503,
  "device-lost": 503,
  "out-of-memory": 507,
  unavailable: 503,
  closed: 409,
  cancelled: 499,
  unauthenticated: 401,
  "permission-denied": 403,
  "failed-precondition": 400,
  "deadline-exceeded": 504,
  internal: 500,
};
