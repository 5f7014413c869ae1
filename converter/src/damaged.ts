import { InferenceError } from "@nearside/core";

/** A `data-loss` error: what was expected in a file of the model, and what was there instead. */
export function damaged(where: string, expected: string, got: string): InferenceError {
  const advice = "the file is damaged or cut short; copy or export the model again";
  return new InferenceError("data-loss", `${where}: expected ${expected}, got ${got}; ${advice}`);
}
