import { InferenceError, toInferenceError } from "@nearside/core";
import { grpcStatuses } from "../grpc-statuses.ts";
import { modelStatus } from "../inference/model-status.ts";
import type { Proto } from "../protobuf/codec.ts";
import { fromModelServerConfig, isAddress, type ModelConfig } from "../repository/model-config.ts";
import type { Repository } from "../repository/repository.ts";
import { fromModelSpec } from "./model-spec.ts";
import type { Handlers } from "./service.ts";

/** TensorFlow Serving's ModelService. */
export function modelService(
  repository: Repository,
  { allowModelControl }: { readonly allowModelControl: boolean },
): Handlers<"tensorflow.serving.ModelService"> {
  return {
    async GetModelStatus({ modelSpec }) {
      const { name, version } = fromModelSpec(modelSpec); // a label is ignored, as TensorFlow Serving does
      return { modelVersionStatus: modelStatus(repository, name, version) };
    },
    /** Answers when the models were loaded; what went wrong is in the answer, as TensorFlow Serving has it. */
    async HandleReloadConfigRequest({ config }) {
      try {
        await reload(repository, config, allowModelControl);
        return { status: {} };
      } catch (cause) {
        const { code, message } = toInferenceError(cause);
        return { status: { errorCode: grpcStatuses[code], errorMessage: message } };
      }
    },
  };
}

async function reload(
  repository: Repository,
  config: Proto<"tensorflow.serving.ModelServerConfig"> | undefined,
  allowModelControl: boolean,
): Promise<void> {
  if (config === undefined)
    throw new InferenceError("invalid-argument", "ReloadConfigRequest: expected config, got none");
  const models = fromModelServerConfig(config);
  if (!allowModelControl) for (const model of models) requireHarmless(model);
  await repository.reload(models);
}

/** Any client may reload, as in TensorFlow Serving; not any may have the server ask others, or write files. */
function requireHarmless({ name, basePath, requestLog }: ModelConfig): void {
  const refuse = (what: string) => {
    throw new InferenceError("permission-denied", `model "${name}": ${what} need --allow_model_control`);
  };
  if (isAddress(basePath)) refuse("addresses as base paths");
  if (requestLog?.filenamePrefix !== undefined) refuse("files (filename_prefix of logging_config)");
}
