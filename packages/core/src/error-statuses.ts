import type { ErrorCode } from "./errors.ts";

/** The HTTP status and the gRPC status code that say on the wire what an error's code says. */
export const errorStatuses: Readonly<Record<ErrorCode, { readonly http: number; readonly grpc: number }>> = {
  "invalid-argument": { http: 400, grpc: 3 },
  "not-found": { http: 404, grpc: 5 },
  "already-exists": { http: 409, grpc: 6 },
  "data-loss": { http: 500, grpc: 15 },
  unsupported: { http: 501, grpc: 12 },
  "no-backend": { http: 503, grpc: 9 },
  "device-lost": { http: 503, grpc: 14 },
  "out-of-memory": { http: 507, grpc: 8 },
  unavailable: { http: 503, grpc: 14 },
  closed: { http: 409, grpc: 9 },
  cancelled: { http: 499, grpc: 1 },
  unauthenticated: { http: 401, grpc: 16 },
  "permission-denied": { http: 403, grpc: 7 },
  "failed-precondition": { http: 400, grpc: 9 },
  "deadline-exceeded": { http: 504, grpc: 4 },
  internal: { http: 500, grpc: 13 },
};
