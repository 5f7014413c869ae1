import { InferenceError } from "@nearside/core";

/** Loops and branches are nested less deep in any model. */
export const maxNesting = 50;

/** The error for loops and branches that are nested deeper, or in themselves. */
export function nestedTooDeep(): InferenceError {
  const message = `functions: loops and branches within each other more than ${maxNesting} deep`;
  return new InferenceError("unsupported", `${message}; recursive functions can't be converted`);
}
