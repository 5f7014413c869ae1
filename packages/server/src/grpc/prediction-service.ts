import { InferenceError } from "@nearside/core";
import { type Class, classify } from "../inference/classify.ts";
import { exampleSignature, fromInput } from "../inference/examples.ts";
import { multiInference } from "../inference/multi-inference.ts";
import { defaultSignatureName, predict } from "../inference/predict.ts";
import { regress } from "../inference/regress.ts";
import { encodeProto } from "../protobuf/codec.ts";
import { toTensorProto } from "../protobuf/tensor-proto.ts";
import type { Repository } from "../repository/repository.ts";
import { fromModelSpec, toModelSpec } from "./model-spec.ts";
import type { Handlers } from "./service.ts";

/** TensorFlow Serving's PredictionService; with `tensorContent` numbers are answered as raw bytes. */
export function predictionService(
  repository: Repository,
  { tensorContent }: { readonly tensorContent: boolean },
): Handlers<"tensorflow.serving.PredictionService"> {
  return {
    Predict: (request, signal) =>
      repository.use(fromModelSpec(request.modelSpec), async (loaded) => {
        const outputs = Object.entries(await predict(loaded, request, signal));
        const name = request.modelSpec?.signatureName || defaultSignatureName;
        return {
          outputs: new Map(outputs.map(([key, tensor]) => [key, toTensorProto(tensor, { asContent: tensorContent })])),
          modelSpec: toModelSpec(request.modelSpec, loaded, name),
        };
      }),
    Classify: ({ modelSpec, input }, signal) =>
      repository.use(fromModelSpec(modelSpec), async (loaded) => {
        const signature = exampleSignature(loaded, modelSpec?.signatureName ?? "");
        const result = toClassification(await classify(signature, fromInput(input), signal));
        return { result, modelSpec: toModelSpec(modelSpec, loaded, modelSpec?.signatureName || defaultSignatureName) };
      }),
    Regress: ({ modelSpec, input }, signal) =>
      repository.use(fromModelSpec(modelSpec), async (loaded) => {
        const signature = exampleSignature(loaded, modelSpec?.signatureName ?? "");
        const result = toRegression(await regress(signature, fromInput(input), signal));
        return { result, modelSpec: toModelSpec(modelSpec, loaded, modelSpec?.signatureName || defaultSignatureName) };
      }),
    MultiInference: ({ tasks, input }, signal) => {
      const [first] = tasks;
      if (tasks.some(({ modelSpec }) => modelSpec?.name !== first?.modelSpec?.name)) {
        const message = "All ModelSpecs in a MultiInferenceRequest must access the same model name.";
        throw new InferenceError("invalid-argument", message);
      }
      return repository.use(fromModelSpec(first?.modelSpec), async (loaded) => {
        const named = tasks.map(({ modelSpec, methodName }) => {
          return { signatureName: modelSpec?.signatureName || defaultSignatureName, methodName };
        });
        const results = await multiInference(loaded, named, fromInput(input), signal);
        return {
          results: results.map((result, index) => ({
            modelSpec: toModelSpec(first?.modelSpec, loaded, named[index]?.signatureName ?? ""),
            ...("classifications" in result
              ? { classificationResult: toClassification(result.classifications) }
              : { regressionResult: toRegression(result.regressions) }),
          })),
        };
      });
    },
    async GetModelMetadata({ modelSpec, metadataField }) {
      const spec = fromModelSpec(modelSpec);
      if (metadataField.length === 0) {
        const message = "GetModelMetadataRequest must specify at least one metadata_field";
        throw new InferenceError("invalid-argument", message);
      }
      const unknown = metadataField.find((field) => field !== "signature_def");
      if (unknown !== undefined) {
        throw new InferenceError("invalid-argument", `Metadata field ${unknown} is not supported`);
      }
      const loaded = repository.find(spec);
      const value = encodeProto("tensorflow.serving.SignatureDefMap", { signatureDef: loaded.definitions });
      const typeUrl = "type.googleapis.com/tensorflow.serving.SignatureDefMap";
      return {
        modelSpec: toModelSpec(modelSpec, loaded, ""),
        metadata: new Map([["signature_def", { typeUrl, value }]]),
      };
    },
  };
}

function toClassification(classifications: readonly (readonly Class[])[]) {
  return { classifications: classifications.map((classes) => ({ classes })) };
}

function toRegression(values: readonly number[]) {
  return { regressions: values.map((value) => ({ value })) };
}
