import { InferenceError, type Tensor } from "@nearside/core";
import type { LoadedSignature } from "../repository/load-version.ts";
import { type ExampleInput, runExamples } from "./examples.ts";

/** What a model takes an example for, and how surely; the label is empty where the model names none. */
export interface Class {
  readonly label: string;
  readonly score: number;
}

/**
 * Classifies each example, as TensorFlow Serving's Classify does: by the outputs `classes` (strings), `scores` (float32)
 * or both, [batch, classes]. Rejects with its messages.
 */
export async function classify(
  signature: LoadedSignature,
  input: ExampleInput,
  signal?: AbortSignal,
): Promise<readonly (readonly Class[])[]> {
  const names = Object.keys(signature.session.signature.outputs);
  if (names.length !== 1 && names.length !== 2) {
    throw invalid(`Expected one or two output Tensors, found ${names.length}`);
  }
  if (!names.includes("classes") && !names.includes("scores")) {
    const message = `No classification outputs found in SignatureDef: its outputs are ${names.join(",")}`;
    throw new InferenceError("failed-precondition", message);
  }
  const { classes, scores } = await runExamples(signature, input, "classification", signal);
  const batch = input.examples.length;
  const labels = classes && rowsOf("classes", classes, "string", batch);
  const values = scores && rowsOf("scores", scores, "float32", batch);
  if (labels && values && labels[0]?.length !== values[0]?.length) {
    throw invalid(
      `Tensors class and score should match in shape[1]. Got ${labels[0]?.length} vs. ${values[0]?.length}`,
    );
  }
  return Array.from({ length: batch }, (_, index) => {
    const [label, score] = [labels?.[index], values?.[index]];
    return Array.from({ length: (label ?? score)?.length ?? 0 }, (_, position) => ({
      label: String(label?.[position] ?? ""),
      score: Number(score?.[position] ?? 0),
    }));
  });
}

/** The rows of a tensor [batch, classes]; one class each of [batch]. */
function rowsOf(
  name: string,
  tensor: Tensor,
  dtype: "string" | "float32",
  batch: number,
): readonly (readonly unknown[])[] {
  const [rows, columns = 1, ...more] = tensor.shape;
  if (tensor.dtype !== dtype) throw invalid(`Expected ${name} Tensor of ${dtype}. Got: ${tensor.dtype}`);
  if (rows === undefined || more.length > 0) {
    throw invalid(`Expected Tensor shape: [batch_size num_classes] but got [${tensor.shape.join(",")}]`);
  }
  if (rows !== batch) throw invalid(`Expected ${name} output batch size of ${batch}. Got: ${rows}`);
  const data = [...(tensor.data as Iterable<unknown>)]; // strings or numbers
  return Array.from({ length: batch }, (_, row) => data.slice(row * columns, (row + 1) * columns));
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
