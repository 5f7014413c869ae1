import type { ErrorCode } from "@nearside/core";

/** The gRPC status code that says on the wire what an error's code says. */
export const grpcStatuses: Readonly<Record<ErrorCode, number>> = {
  "invalid-argument": 3,
  "not-found": 5,
  "already-exists": 6,
  "data-loss": 15,
  unsupported: 12,
  "no-backend": 9,
  "device-lost": 14,
  "out-of-memory": 8,
  unavailable: 14,
  closed: 9,
  cancelled: 1,
  unauthenticated: 16,
  "permission-denied": 7,
  "failed-precondition": 9,
  "deadline-exceeded": 4,
  internal: 13,
};
