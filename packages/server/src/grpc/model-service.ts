import { errorStatuses, InferenceError, toInferenceError } from "@nearside/core";
import { modelStatus } from "../inference/model-status.ts";
import type { Proto } from "../protobuf/codec.ts";
import { fromModelServerConfig } from "../repository/model-config.ts";
import type { Repository } from "../repository/repository.ts";
import { fromModelSpec } from "./model-spec.ts";
import type { Handlers } from "./service.ts";

/** TensorFlow Serving's ModelService. */
export function modelService(repository: Repository): Handlers<"tensorflow.serving.ModelService"> {
  return {
    async GetModelStatus({ modelSpec }) {
      const { name, version } = fromModelSpec(modelSpec); // a label is ignored, as TensorFlow Serving does
      return { modelVersionStatus: modelStatus(repository, name, version) };
    },
    /** Answers when the models were loaded; what went wrong is in the answer, as TensorFlow Serving has it. */
    async HandleReloadConfigRequest({ config }) {
      try {
        await reload(repository, config);
        return { status: {} };
      } catch (cause) {
        const { code, message } = toInferenceError(cause);
        return { status: { errorCode: errorStatuses[code].grpc, errorMessage: message } };
      }
    },
  };
}

async function reload(
  repository: Repository,
  config: Proto<"tensorflow.serving.ModelServerConfig"> | undefined,
): Promise<void> {
  if (config === undefined)
    throw new InferenceError("invalid-argument", "ReloadConfigRequest: expected config, got none");
  await repository.reload(fromModelServerConfig(config));
}
