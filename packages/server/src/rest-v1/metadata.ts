import { dtypes, type TensorNames, type TensorSpec } from "@nearside/core";
import type { LoadedVersion } from "../repository.ts";

/** TensorFlow Serving's `GetModelMetadataResponse` as JSON: the signature, in protocol buffers' JSON form. */
export function encodeMetadata(model: string, { version, session, folder }: LoadedVersion) {
  const { inputNames, outputNames } = folder.manifest;
  const signature = {
    inputs: encodeSpecs(session.signature.inputs, inputNames),
    outputs: encodeSpecs(session.signature.outputs, outputNames),
    method_name: "tensorflow/serving/predict",
    defaults: {},
  };
  return {
    model_spec: { name: model, signature_name: "", version: String(version) },
    metadata: { signature_def: { signature_def: { serving_default: signature } } },
  };
}

function encodeSpecs(specs: Readonly<Record<string, TensorSpec>>, names: TensorNames) {
  const entries = Object.entries(specs).map(([key, { dtype, shape }]) => {
    const dim = (shape ?? []).map((size) => ({ size: String(size ?? -1), name: "" }));
    const info = {
      dtype: dtypes[dtype].tensorflow,
      tensor_shape: { dim, unknown_rank: shape === null },
      name: names[key] ?? key,
    };
    return [key, info] as const;
  });
  return Object.fromEntries(entries);
}
