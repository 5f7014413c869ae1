import { InferenceError } from "@nearside/core";
import type { LoadedModel } from "../repository/load-version.ts";
import { type Class, classify } from "./classify.ts";
import { type ExampleInput, exampleSignature } from "./examples.ts";
import { defaultSignatureName } from "./predict.ts";
import { regress } from "./regress.ts";

/** One of the questions about the same examples: which signature is to answer it, and in which way. */
export interface InferenceTask {
  readonly signatureName: string;
  readonly methodName: string;
}

/** What a task's signature says of each example. */
export type InferenceResult =
  | { readonly classifications: readonly (readonly Class[])[] }
  | { readonly regressions: readonly number[] };

/** Answers several tasks about the same examples, as TensorFlow Serving's MultiInference does. Rejects with its messages. */
export async function multiInference(
  loaded: LoadedModel,
  tasks: readonly InferenceTask[],
  input: ExampleInput,
  signal?: AbortSignal,
): Promise<readonly InferenceResult[]> {
  const seen = new Set<string>();
  for (const { signatureName, methodName } of tasks) {
    const name = signatureName || defaultSignatureName;
    if (seen.has(name)) throw invalid(`Duplicate evaluation of signature: ${name}`);
    seen.add(name);
    exampleSignature(loaded, name); // before anything is run
    if (!methods.has(methodName)) {
      throw new InferenceError("unsupported", `Unsupported signature method_name: ${methodName}`);
    }
  }
  const results = tasks.map(async ({ signatureName, methodName }) => {
    const signature = exampleSignature(loaded, signatureName);
    if (methodName === "tensorflow/serving/classify")
      return { classifications: await classify(signature, input, signal) };
    return { regressions: await regress(signature, input, signal) };
  });
  return Promise.all(results);
}

const methods: ReadonlySet<string> = new Set(["tensorflow/serving/classify", "tensorflow/serving/regress"]);

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
