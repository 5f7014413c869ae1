import { InferenceError } from "@nearside/core";
import type { LoadedSignature } from "../repository/load-version.ts";
import { type ExampleInput, runExamples } from "./examples.ts";

/**
 * A number for each example, as TensorFlow Serving's Regress gives it: of the output `outputs`, float32 [batch] or
 * [batch, 1]. Rejects with its messages.
 */
export async function regress(
  signature: LoadedSignature,
  input: ExampleInput,
  signal?: AbortSignal,
): Promise<readonly number[]> {
  const names = Object.keys(signature.session.signature.outputs);
  if (names.length !== 1) throw invalid("Expected one output Tensor.");
  if (names[0] !== "outputs") {
    const message = `No regression outputs found in SignatureDef: its output is ${names[0]}, not outputs`;
    throw new InferenceError("failed-precondition", message);
  }
  const { outputs } = await runExamples(signature, input, "regression", signal);
  if (outputs?.dtype !== "float32") throw invalid(`Expected output Tensor of DT_FLOAT. Got: ${outputs?.dtype}`);
  const [batch, columns = 1, ...more] = outputs.shape;
  if (batch === undefined || columns !== 1 || more.length > 0) {
    const expected = "Expected output Tensor shape to be either [batch_size] or [batch_size, 1]";
    throw invalid(`${expected} but got [${outputs.shape.join(",")}]`);
  }
  const count = input.examples.length;
  if (batch !== count) {
    throw invalid(`Input batch size did not match output batch size: ${count} vs. ${batch}`);
  }
  return Array.from(outputs.data as Float32Array);
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
