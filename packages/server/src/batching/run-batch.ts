import { InferenceError, type Session, toInferenceError } from "@nearside/core";
import type { QueuedRun } from "./batch-queue.ts";
import type { BatchingEvent } from "./batching-options.ts";
import { joinRows, splitRows } from "./join-rows.ts";

/**
 * Runs several runs as one and gives each its rows of the outputs, or its own error: what fails together is run again
 * one by one, unless the error is no matter of the inputs. Tells whether the outputs have as many rows as the inputs.
 */
export async function runBatch(
  session: Session,
  runs: readonly QueuedRun[],
  allowedBatchSizes: readonly number[],
  tell: (event: BatchingEvent) => void,
): Promise<{ hasRows: boolean }> {
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const size = rows === 0 ? 0 : (allowedBatchSizes.find((allowed) => allowed >= rows) ?? rows); // without a row to copy
  const nowMs = performance.now();
  const queuedMs = runs.map(({ sinceMs }) => nowMs - sinceMs);
  tell({ type: "batch", rows, paddingRows: size - rows, queuedMs });
  for (const { onBegin } of runs) onBegin?.();
  if (runs.length === 1 && size === rows) {
    await runAlone(session, runs[0] as QueuedRun);
    return { hasRows: true };
  }
  let hasRows = true;
  const signal = abortedTogether(runs);
  try {
    const [{ outputs }] = runs as readonly [QueuedRun]; // all ask for the same
    const inputs = joinRows(
      runs.map((run) => run.inputs),
      size,
    );
    const options = { ...(outputs && { outputs }), ...(signal && { signal }) };
    const counts = runs.map((run) => run.rows);
    const parts = splitRows(await session.run(inputs, options), counts, size);
    for (const [index, part] of (parts ?? []).entries()) runs[index]?.resolve(part);
    if (parts) return { hasRows };
    hasRows = false;
  } catch (thrown) {
    const error = toInferenceError(thrown);
    if (concernsAll.has(error.code) || signal?.aborted) {
      for (const run of runs) run.reject(error);
      return { hasRows };
    }
  }
  for (const run of runs) await runAlone(session, run);
  return { hasRows };
}

/** Errors that each run would get again, or that running again would make worse. */
const concernsAll: ReadonlySet<InferenceError["code"]> = new Set([
  "device-lost",
  "unavailable",
  "closed",
  "no-backend",
]);

async function runAlone(session: Session, { inputs, outputs, signal, resolve, reject }: QueuedRun): Promise<void> {
  try {
    resolve(await session.run(inputs, { ...(outputs && { outputs }), ...(signal && { signal }) }));
  } catch (error) {
    reject(error);
  }
}

/** A signal that is aborted once all runs are; none where one can't be. */
function abortedTogether(runs: readonly QueuedRun[]): AbortSignal | undefined {
  const signals = runs.map(({ signal }) => signal);
  if (!signals.every((signal) => signal !== undefined)) return undefined;
  const controller = new AbortController();
  const check = () => {
    if (signals.every(({ aborted }) => aborted))
      controller.abort(new InferenceError("cancelled", "nobody waits for it"));
  };
  for (const run of runs) run.onAbort = check; // each run has a listener already
  return controller.signal;
}
