import { errorCodes } from "@nearside/core";
import type { ModelVersion } from "../repository.ts";

/** The names of the gRPC status codes, by number. */
const statusNames = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"],
  ...["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"],
  ...["INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"],
];

/** What TensorFlow Serving calls the states of a version. */
const stateNames = { loading: "LOADING", available: "AVAILABLE", failed: "END" } as const;

/** TensorFlow Serving's `GetModelStatusResponse` as JSON. */
export function encodeStatus(versions: readonly ModelVersion[]) {
  const entries = versions.map((version) => {
    const error = version.state === "failed" ? version.error : null;
    return {
      version: String(version.version),
      state: stateNames[version.state],
      status: {
        error_code: error ? statusNames[errorCodes[error.code].grpc] : "OK",
        error_message: error?.message ?? "",
      },
    };
  });
  return { model_version_status: entries };
}
