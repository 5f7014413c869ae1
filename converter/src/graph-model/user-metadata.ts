import { InferenceError } from "@nearside/core";
import type { Port } from "../graph/graph.ts";
import type { Json } from "./graph-def-json.ts";

/** What a user's metadata may be: anything that JSON can hold, under keys of the user's own. */
export type UserMetadata = Readonly<Record<string, Json>>;

/** Throws `invalid-argument` where the metadata has a key that TensorFlow.js takes for its own. */
export function checkMetadata(metadata: UserMetadata): void {
  const taken = ["signature", "structuredOutputKeys"].find((key) => Object.hasOwn(metadata, key));
  if (taken === undefined) return;
  const message = `metadata: expected keys of your own, got "${taken}", which TensorFlow.js reads itself`;
  throw new InferenceError("invalid-argument", `${message}; choose another key`);
}

/**
 * The `userDefinedMetadata` of `model.json`, or undefined where there is none: the user's, and the names of the outputs
 * if stock TensorFlow.js is to return them by name (`structured`). By default it is where there are several outputs
 * with names that the model's author gave; one output stays a tensor, which programs written for it expect.
 */
export function userMetadata(
  metadata: UserMetadata,
  outputs: readonly Port[],
  structured = outputs.length > 1 && outputs.every(({ key }) => !/^output_\d+$/.test(key)),
): Json | undefined {
  // The order of keys in an object: TensorFlow.js pairs these names with the signature's outputs as it reads them.
  const keys = Object.keys(Object.fromEntries(outputs.map(({ key }) => [key, null])));
  const all = structured ? { ...metadata, structuredOutputKeys: keys } : metadata;
  return Object.keys(all).length === 0 ? undefined : all;
}
