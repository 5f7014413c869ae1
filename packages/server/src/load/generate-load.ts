import type { Send } from "./send-requests.ts";

/** How requests are sent: each of so many clients as soon as it has its answer, or at a rate that waits for no answer. */
export type Load = { readonly clients: number } | { readonly ratePerSecond: number };

/** What became of requests. */
export interface LoadResult {
  /** Of those that were answered well, in the order of their answers; at a rate, from when each was due. */
  readonly latenciesMs: readonly number[];
  /** How often what went wrong did. */
  readonly errors: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/** Sends requests for so long, and waits for those in flight. */
export async function generateLoad(send: Send, load: Load, durationMs: number): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  const errors = new Map<string, number>();
  const sendOne = async (dueMs: number) => {
    const error = await send();
    if (error === undefined) latenciesMs.push(performance.now() - dueMs);
    else errors.set(error, (errors.get(error) ?? 0) + 1);
  };
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  if ("clients" in load) {
    const client = async () => {
      while (performance.now() < endMs) await sendOne(performance.now());
    };
    await Promise.all(Array.from({ length: load.clients }, client));
  } else {
    await sendAtRate(sendOne, { startMs, endMs, intervalMs: 1000 / load.ratePerSecond });
  }
  return { latenciesMs, errors, seconds: (performance.now() - startMs) / 1000 };
}

/**
 * Sends each request when it is due, however long others take. Latencies count from then: those of a server that can't
 * keep up grow, instead of being left out because nothing was sent meanwhile.
 */
async function sendAtRate(
  sendOne: (dueMs: number) => Promise<void>,
  { startMs, endMs, intervalMs }: { startMs: number; endMs: number; intervalMs: number },
): Promise<void> {
  const inFlight: Promise<void>[] = [];
  for (let dueMs = startMs; dueMs < endMs; dueMs += intervalMs) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    inFlight.push(sendOne(dueMs));
  }
  await Promise.all(inFlight);
}
