import { status as grpcStatus } from "@grpc/grpc-js";
import type { Phase } from "./call-phases.ts";

/** A request that was answered, whichever way it came: what metrics, logs and traces are made of. */
export interface FinishedCall {
  readonly entrypoint: "REST" | "GRPC";
  /** What it asked for, in the protocols' words, such as `Predict` or `ModelInfer`; null for no call of theirs. */
  readonly api: string | null;
  /** The model that it named, which there may not be; null where it named none. */
  readonly model: string | null;
  /** `POST /v1/models/m:predict`, or the path of a gRPC method; without the query, which may hold secrets. */
  readonly path: string;
  /** The name of its gRPC status, such as `OK`, also over HTTP. */
  readonly status: string;
  /** The number that the client got: HTTP's status, or gRPC's code. */
  readonly code: number;
  /** When it began, in milliseconds since 1970. */
  readonly startMs: number;
  readonly durationMs: number;
  /** The name of the token that it came with, where tokens are asked for. */
  readonly client: string | undefined;
  /** The address that it came from. */
  readonly address: string;
  /** What was done for it, where that is measured; the rest is reading the request and writing the answer. */
  readonly phases?: readonly Phase[];
  /** Whether its model's `logging_config` picked it for the server's log. */
  readonly isSampled?: boolean;
  /** A header of the request, or of gRPC's metadata. */
  readonly header: (name: string) => string | undefined;
}

/** Who is told of each request once it was answered. */
export type OnCall = (call: FinishedCall) => void;

/** Whether a status says that the server is at fault, not the client. */
export function isServerFault(status: string): boolean {
  return ["INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"].includes(status);
}

/** The name of a gRPC status code. */
export function grpcStatusName(code: number): string {
  return grpcStatus[code] ?? "UNKNOWN";
}

/** The gRPC status that says what an HTTP status does, as TensorFlow Serving pairs them; by classes where it has none. */
export function statusNameOfHttp(code: number): string {
  if (Object.hasOwn(namesOfHttp, code)) return namesOfHttp[code as keyof typeof namesOfHttp];
  if (code < 400) return "OK";
  return code < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
}

const namesOfHttp = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ALREADY_EXISTS",
  413: "RESOURCE_EXHAUSTED",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
  507: "RESOURCE_EXHAUSTED",
} as const;
