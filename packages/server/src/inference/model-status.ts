import { InferenceError } from "@nearside/core";
import { grpcStatuses } from "../grpc-statuses.ts";
import type { Proto } from "../protobuf/codec.ts";
import type { Draft } from "../protobuf/encode.ts";
import { enums } from "../protobuf/protos.ts";
import type { Repository } from "../repository/repository.ts";

type ModelVersionStatus = Draft<Proto<"tensorflow.serving.ModelVersionStatus">>;

/**
 * What has become of a model's versions, or of one, as TensorFlow Serving's GetModelStatus tells it. Throws `not-found`
 * where none was ever to be served.
 */
export function modelStatus(repository: Repository, name: string, version?: bigint): readonly ModelVersionStatus[] {
  const versions = repository.versions(name).filter((known) => version === undefined || known.version === version);
  if (versions.length === 0) {
    const what = version === undefined ? "any versions" : `version ${version}`;
    throw new InferenceError("not-found", `Could not find ${what} of model ${name}`);
  }
  return versions.map(({ version, state, error }) => ({
    version,
    state: stateNumbers.get(state.toUpperCase()) ?? 0,
    status: { errorCode: error ? grpcStatuses[error.code] : 0, errorMessage: error?.message ?? "" },
  }));
}

/** TensorFlow Serving's `GetModelStatusResponse` in protocol buffers' JSON form. */
export function statusToJson(statuses: readonly ModelVersionStatus[]) {
  const entries = statuses.map(({ version, state, status }) => ({
    version: String(version), // as proto JSON writes an int64
    state: stateNames.get(state ?? 0),
    status: { error_code: codeNames.get(status?.errorCode ?? 0), error_message: status?.errorMessage },
  }));
  return { model_version_status: entries };
}

const states: readonly (readonly [string, number])[] = enums["tensorflow.serving.ModelVersionStatus.State"];
const stateNumbers: ReadonlyMap<string, number> = new Map(states);
const stateNames: ReadonlyMap<number, string> = new Map(states.map(([name, number]) => [number, name]));
const codeNames: ReadonlyMap<number, string> = new Map(
  enums["tensorflow.error.Code"].map(([name, number]) => [number, name]),
);
