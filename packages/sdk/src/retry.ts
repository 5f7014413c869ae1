import { InferenceError } from "@nearside/core";
import { type Wait, waitFor } from "./wait-for.ts";

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  /** Grows while attempts bring something, which gives the next ones all their tries back. */
  readonly progress?: () => number;
  /** How many rounds without any progress are made before it counts as failed (default 5). */
  readonly rounds?: number;
  /** Waits; given, so that tests need not. */
  readonly wait?: Wait;
  readonly random?: () => number;
}

const firstDelayMs = 250;
const maxDelayMs = 8000;
/** A server that asks to be left alone for longer counts as failed. */
const maxRetryAfterMs = 60_000;

/**
 * Attempts something at one address after the other until it succeeds. Addresses that are `unavailable` are asked again,
 * after delays that double from round to round, with jitter (each is a random part of it, so that clients that failed
 * together don't come back together), and not before they asked for; any other error ends an address. Rejects with the
 * last error when none is left, or when so many rounds brought nothing.
 */
export async function retry<T>(
  addresses: readonly string[],
  attempt: (address: string) => Promise<T>,
  { signal, progress = () => 0, rounds = 5, wait = waitFor, random = Math.random }: RetryOptions = {},
): Promise<T> {
  let left = addresses;
  let before = progress();
  for (let round = 1; ; round++) {
    let lastError: unknown;
    let retryAfterMs = Number.POSITIVE_INFINITY; // until the first of them may be asked again
    const next: string[] = [];
    for (const address of left) {
      try {
        return await attempt(address);
      } catch (error) {
        signal?.throwIfAborted();
        lastError = error;
        if (!(error instanceof InferenceError) || error.code !== "unavailable") continue;
        if ((error.retryAfterMs ?? 0) > maxRetryAfterMs) continue;
        next.push(address);
        retryAfterMs = Math.min(retryAfterMs, error.retryAfterMs ?? 0);
      }
    }
    if (progress() > before) round = 1;
    if (next.length === 0 || round >= rounds) throw lastError;
    const delayMs = Math.min(firstDelayMs * 2 ** (round - 1), maxDelayMs) * (0.5 + random() / 2);
    await wait(Math.max(delayMs, retryAfterMs), signal);
    left = next;
    before = progress();
  }
}
