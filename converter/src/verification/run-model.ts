import { InferenceError, type Session, type Tensors } from "@nearside/core";
import type { FileSource } from "../files.ts";
import { randomInputs, sizesToTry } from "./random-inputs.ts";

/** Opens the graph model in `source` to run it. The converter itself can't: `@nearside/runtime` does. */
export type OpenModel = (source: FileSource) => Promise<Session>;

/** What a model computed. */
export interface ModelRuns {
  readonly backend: Session["backend"];
  readonly runs: readonly { readonly inputs: Tensors; readonly outputs: Tensors }[];
}

/** How often a model is run on random inputs. */
const randomRuns = 3;

/**
 * Runs a model once on each of the inputs, or on random ones where none are given: the same ones each time.
 * Rejects with `unsupported`, and why as its cause, where the model runs on none of the random inputs.
 */
export async function runModel(
  source: FileSource,
  openModel: OpenModel,
  inputs?: readonly Tensors[],
  signal?: AbortSignal,
): Promise<ModelRuns> {
  const given = inputs ?? (await findRandomInputs(source, openModel));
  await using session = await openModel(source); // that hasn't run: a model may keep values from run to run
  const { backend } = session;
  const runs: { inputs: Tensors; outputs: Tensors }[] = [];
  for (const inputs of given) {
    signal?.throwIfAborted();
    runs.push({ inputs, outputs: await session.run(inputs) });
  }
  return { backend, runs };
}

/** Random inputs that the model runs on: not every size of a free dimension need fit. */
async function findRandomInputs(source: FileSource, openModel: OpenModel): Promise<readonly Tensors[]> {
  await using session = await openModel(source);
  let reason: unknown;
  for (const sizes of sizesToTry) {
    const all = Array.from({ length: randomRuns }, (_, seed) => randomInputs(session.signature, sizes, seed));
    try {
      for (const inputs of all.slice(0, 1)) await session.run(inputs);
      return all;
    } catch (cause) {
      reason = cause;
    }
  }
  const text = reason instanceof Error ? reason.message : String(reason);
  const message = `the model can't be run on random inputs (${text}); give real ones in a golden.json`;
  throw new InferenceError("unsupported", message, { cause: reason });
}
