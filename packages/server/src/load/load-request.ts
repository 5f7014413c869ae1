import {
  encodeTensors,
  headerLengthName,
  InferenceError,
  type Signature,
  sampleInputs,
  type Tensors,
} from "@nearside/core";
import { joinRows } from "../batching/join-rows.ts";
import { encodeProto } from "../protobuf/codec.ts";
import { toTensorProto } from "../protobuf/tensor-proto.ts";
import { encodeElements } from "../rest-v1/predict-response.ts";

/** A request, to be sent again and again: over HTTP, or a call of gRPC's, whose path is the method's. */
export interface LoadRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How each protocol over HTTP asks for a run of a model. */
export const httpProtocols = {
  /** The Open Inference Protocol v2 with its binary tensor extension. */
  binary: (model: string, inputs: Tensors): LoadRequest => {
    const { body, headerBytes } = encodeTensors("inputs", inputs, { parameters: { binary_data_output: true } });
    const headers = { "content-type": "application/octet-stream", [headerLengthName]: String(headerBytes) };
    return { path: `v2/models/${encodeURIComponent(model)}/infer`, headers, body };
  },
  /** TensorFlow Serving's REST API, in its columnar form. */
  rest: (model: string, inputs: Tensors): LoadRequest => {
    const columns = Object.entries(inputs).map(
      ([name, tensor]) => `${JSON.stringify(name)}: ${encodeElements("", tensor)}`,
    );
    return restRequest(model, new TextEncoder().encode(`{"inputs": {${columns.join(", ")}}}`));
  },
} as const;

/** How each protocol over gRPC does. */
export const grpcProtocols = {
  /** TensorFlow Serving's Predict, with the numbers as raw bytes. */
  grpc: (model: string, inputs: Tensors): LoadRequest => {
    const protos = Object.entries(inputs).map(
      ([name, tensor]) => [name, toTensorProto(tensor, { asContent: true })] as const,
    );
    const body = encodeProto("tensorflow.serving.PredictRequest", {
      modelSpec: { name: model },
      inputs: new Map(protos),
    });
    return { path: "/tensorflow.serving.PredictionService/Predict", headers: {}, body };
  },
} as const;

/** A request of TensorFlow Serving's REST API with this body. */
export function restRequest(model: string, body: Uint8Array): LoadRequest {
  const headers = { "content-type": "application/json" };
  return { path: `v1/models/${encodeURIComponent(model)}:predict`, headers, body };
}

/** Inputs of so many rows that fit a signature. Throws `invalid-argument` where another dimension than the first is free. */
export function loadInputs(signature: Signature, rows: number): Tensors {
  const samples = sampleInputs(signature);
  if (!samples) {
    const message = "inputs: the model leaves more than its first dimension free; give a request's body (--input FILE)";
    throw new InferenceError("invalid-argument", message);
  }
  const isBatched = (name: string) => signature.inputs[name]?.shape?.[0] === null;
  const batched = Object.fromEntries(Object.entries(samples).filter(([name]) => isBatched(name)));
  return { ...samples, ...joinRows([batched], rows) };
}
