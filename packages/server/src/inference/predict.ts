import { InferenceError, type Tensors } from "@nearside/core";
import type { Proto } from "../protobuf/codec.ts";
import { fromTensorProto } from "../protobuf/tensor-proto.ts";
import type { LoadedModel, LoadedSignature } from "../repository/load-version.ts";
import { runLoosely } from "./run-loosely.ts";

/** The name of the signature that a request without one means. */
export const defaultSignatureName = "serving_default";

/**
 * The signature of this name that can be run, or undefined where the model has none. Throws `unsupported`, and why, for
 * one that can't be run here.
 */
export function findSignature({ signatures, refused }: LoadedModel, name: string): LoadedSignature | undefined {
  const refusal = refused.get(name);
  if (refusal) throw refusal;
  return signatures.get(name);
}

/**
 * Runs a predict request as TensorFlow Serving's gRPC service does. Rejects with its messages: `failed-precondition` for
 * a signature that there is not, `invalid-argument` where names or tensors don't fit it.
 */
export async function predict(
  loaded: LoadedModel,
  { modelSpec, inputs, outputFilter }: Proto<"tensorflow.serving.PredictRequest">,
  signal?: AbortSignal,
): Promise<Tensors> {
  const name = modelSpec?.signatureName || defaultSignatureName;
  const found = findSignature(loaded, name);
  if (!found) throw new InferenceError("failed-precondition", `Serving signature key "${name}" not found.`);
  const { session } = found;
  checkInputNames([...inputs.keys()], Object.keys(session.signature.inputs));
  checkOutputFilter(outputFilter, Object.keys(session.signature.outputs));
  const tensors = [...inputs].map(([key, proto]) => [key, fromTensorProto(proto, `input "${key}"`)] as const);
  return runLoosely(session, Object.fromEntries(tensors), {
    ...(outputFilter.length > 0 && { outputs: outputFilter }),
    ...(signal && { signal }),
  });
}

function checkInputNames(sent: readonly string[], required: readonly string[]): void {
  const extra = sent.filter((name) => !required.includes(name));
  const missing = required.filter((name) => !sent.includes(name));
  if (sent.length !== required.length) {
    const sizes = `${sent.length}!=${required.length} len({${sent.join(",")}}) != len({${required.join(",")}})`;
    const names = `Sent extra: {${extra.join(",")}}. Missing but required: {${missing.join(",")}}.`;
    throw invalid(`input size does not match signature: ${sizes}. ${names}`);
  }
  if (extra.length > 0) {
    const expected = `Inputs expected to be in the set {${required.join(",")}}.`;
    throw invalid(`input tensor alias not found in signature: ${extra[0]}. ${expected}`);
  }
}

function checkOutputFilter(wanted: readonly string[], outputs: readonly string[]): void {
  for (const [index, name] of wanted.entries()) {
    if (!outputs.includes(name)) {
      const expected = `Outputs expected to be in the set {${outputs.join(",")}}.`;
      throw invalid(`output tensor alias not found in signature: ${name} ${expected}`);
    }
    if (wanted.indexOf(name) !== index) throw invalid(`duplicate output tensor alias: ${name}`);
  }
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
