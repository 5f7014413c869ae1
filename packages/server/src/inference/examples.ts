import { decodeText, InferenceError, type Tensors } from "@nearside/core";
import { encodeProto, type Proto } from "../protobuf/codec.ts";
import type { Draft } from "../protobuf/encode.ts";
import type { LoadedModel, LoadedSignature } from "../repository/load-version.ts";
import { defaultSignatureName, findSignature } from "./predict.ts";

/** A tf.Example, or what one is made of. */
export type Example = Draft<Proto<"tensorflow.Example">>;

/** The examples of a request, with the features that all of them share. */
export interface ExampleInput {
  readonly examples: readonly Example[];
  readonly context?: Example | undefined;
}

/** The examples of a gRPC request. Throws `invalid-argument` where there are none. */
export function fromInput(input: Proto<"tensorflow.serving.Input"> | undefined): ExampleInput {
  const { exampleList, exampleListWithContext } = input ?? {};
  const { examples = [], context } = exampleListWithContext ?? { examples: exampleList?.examples };
  return { examples, context };
}

/** The signature of this name. Throws `invalid-argument` with TensorFlow Serving's message where there is none. */
export function exampleSignature(loaded: LoadedModel, name: string): LoadedSignature {
  const found = findSignature(loaded, name || defaultSignatureName);
  if (found) return found;
  throw new InferenceError("invalid-argument", `No signature was found with the name: ${name || defaultSignatureName}`);
}

/**
 * Runs a signature whose only input, `inputs`, takes serialized tf.Examples. Rejects with TensorFlow Serving's messages;
 * `what` is what they call the signature.
 */
export async function runExamples(
  { session }: LoadedSignature,
  { examples, context }: ExampleInput,
  what: "classification" | "regression",
  signal: AbortSignal | undefined,
): Promise<Tensors> {
  const names = Object.keys(session.signature.inputs);
  if (names.length !== 1) throw invalid("Expected one input Tensor.");
  const spec = session.signature.inputs.inputs;
  if (spec === undefined) {
    const message = `No ${what} inputs found in SignatureDef: its input is ${names.join(",")}, not inputs`;
    throw new InferenceError("failed-precondition", message);
  }
  if (spec.dtype !== "string") throw invalid(`Expected an input Tensor of serialized tf.Example, got ${spec.dtype}`);
  if (examples.length === 0) throw invalid("Input is empty.");
  const data = examples.map((example) => decodeText(encodeProto("tensorflow.Example", merge(context, example))));
  const inputs: Tensors = { inputs: { dtype: "string", shape: [data.length], data } };
  return session.run(inputs, signal ? { signal } : {});
}

/** The features of both; where both have one of the same name, the example's. */
function merge(context: Example | undefined, example: Example): Example {
  if (context === undefined) return example;
  const features = [...(context.features?.feature ?? []), ...(example.features?.feature ?? [])];
  return { features: { feature: new Map(features) } };
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
