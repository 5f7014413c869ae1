import { InferenceError } from "@nearside/core";

/** What a kernel of the WebAssembly backend throws for what it would compute wrongly, or not survive. */
export function missingKernel(kernel: string, what: string): InferenceError {
  return new InferenceError("no-backend", `backend "wasm" has no kernel "${kernel}" for ${what}; open another backend`);
}
