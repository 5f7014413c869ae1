import type { ModelTypes, Session, Signature, Tensors } from "@nearside/core";
import type { BatchLimits } from "./batching-options.ts";

/** Whether runs of a session can be merged: every input and output has rows, and nothing is kept from run to run. */
export function isBatchable<M extends ModelTypes>({ signature, keepsState }: Session<M>): boolean {
  const inputs = Object.values(signature.inputs);
  const outputs = Object.values(signature.outputs);
  const haveRows = inputs.every(({ shape }) => shape?.[0] === null);
  return !keepsState && inputs.length > 0 && haveRows && outputs.every(({ shape }) => !shape || shape[0] === null);
}

/**
 * What the runs of a batch have in common: the shapes of their rows and the outputs that they ask for. Dimensions that
 * may be padded don't count.
 */
export function batchKey(
  { inputs: specs }: Signature,
  inputs: Tensors,
  outputs: readonly string[] | undefined,
  { padsInputs }: Pick<BatchLimits, "padsInputs">,
): string {
  const shapes = Object.entries(specs).map(([name, { shape: expected }]) => {
    const sizes = (inputs[name]?.shape ?? []).slice(1); // checked against the signature before
    return padsInputs && expected ? expected.slice(1) : sizes;
  });
  return JSON.stringify([shapes, outputs]);
}
