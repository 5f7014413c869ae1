import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { GoldenCase } from "./golden.ts";
import { largestError } from "./largest-error.ts";
import { runAsyncInTfjs, runInTfjs } from "./run-in-tfjs.ts";

/**
 * Runs a model's golden cases in TensorFlow.js as it is, on cpu: the largest error, or `needs ours` where its manifest
 * names ops of ours. Only before our runtime has loaded a model in this process: it adds ops to TensorFlow.js's.
 */
export async function runInStockTfjs(folder: string, golden: readonly GoldenCase[]): Promise<string> {
  const { nearside } = JSON.parse(await readFile(join(folder, "model.json"), "utf8"));
  if (nearside !== undefined) return "needs ours";
  let largest = 0;
  for (const { inputs, outputs, isDeterministic } of golden) {
    // Not every model can run synchronously, and TensorFlow.js says so only by throwing.
    const results = await runInTfjs(folder, inputs).catch(() => runAsyncInTfjs(folder, inputs));
    largest = Math.max(largest, largestError(results, outputs, { isDeterministic }));
  }
  return largest <= 1e-4 ? `ok ${largest.toExponential(0)}` : `wrong by ${largest.toExponential(0)}`;
}

/** The signatures of a fixture that TensorFlow.js gets right in what the Python converter wrote. */
export async function rightInReference(fixture: string): Promise<readonly string[]> {
  const path = join(fixture, "reference.json");
  if (!existsSync(path)) return [];
  const runs: readonly ReferenceRun[] = JSON.parse(await readFile(path, "utf8"));
  const isRight = ({ tfjs }: ReferenceRun) =>
    tfjs?.ran === true && (tfjs.maxRelErr ?? 1) <= 1e-4 && tfjs.problems?.length === 0;
  return [...new Set(runs.filter(isRight).map(({ signature }) => signature))];
}

interface ReferenceRun {
  readonly signature: string;
  readonly tfjs?: {
    readonly ran: boolean | null;
    readonly maxRelErr: number | null;
    readonly problems: readonly string[] | null;
  };
}
