import { InferenceError } from "@nearside/core";
import type { Tape } from "./tape.ts";

/** What is known of runs with the same shapes and outputs. */
type Entry =
  | { readonly state: "seen" }
  | { readonly state: "refused" }
  | { readonly state: "kept"; readonly tape: Tape };

export interface TapesOptions {
  /** Memory of the device that all tapes may hold. */
  readonly maxBytes?: number;
  /** How many kinds of runs to remember. */
  readonly maxEntries?: number;
}

/**
 * The tapes of a session, by what the runs have in common: the inputs' shapes and dtypes, and the outputs. A kind of run
 * is recorded when it comes a second time, for many come only once. The least used tapes go when there are too many.
 */
export class Tapes {
  readonly #entries = new Map<string, Entry>(); // the least recently used first
  readonly #maxBytes: number;
  readonly #maxEntries: number;

  constructor({ maxBytes = 2 ** 28, maxEntries = 64 }: TapesOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#maxEntries = maxEntries;
  }

  /** The tape of runs of this kind. */
  find(kind: string): Tape | undefined {
    const entry = this.#touch(kind);
    return entry?.state === "kept" ? entry.tape : undefined;
  }

  /** Has the first run of a kind recorded, not the second: there will be more of them. */
  expect(kind: string): void {
    if (!this.#entries.has(kind)) this.#put(kind, { state: "seen" });
  }

  /** Whether {@link learn} would record the next run of this kind. */
  isDue(kind: string): boolean {
    return this.#entries.get(kind)?.state === "seen";
  }

  /**
   * To be called after a run without a tape. The second of its kind is recorded by `record`, and the tape kept if
   * `isRight` says so of it; else runs of this kind are never recorded again.
   */
  async learn(kind: string, record: () => Tape, isRight: (tape: Tape) => Promise<boolean>): Promise<void> {
    const entry = this.#touch(kind);
    if (entry !== undefined && entry.state !== "seen") return;
    if (entry === undefined) return this.#put(kind, { state: "seen" });
    this.#put(kind, { state: "refused" }); // until it is known better, so that runs meanwhile don't record it, too
    const tape = tryTo(record);
    if (tape === undefined) return;
    const isKept = tape.bytes <= this.#maxBytes && (await isRight(tape));
    // The session may have been closed, or the entry dropped, while the device computed.
    if (isKept && this.#entries.has(kind)) this.#put(kind, { state: "kept", tape });
    else tape.close();
  }

  /** Frees all tapes. */
  close(): void {
    for (const kind of [...this.#entries.keys()]) this.#drop(kind);
  }

  #touch(kind: string): Entry | undefined {
    const entry = this.#entries.get(kind);
    if (entry === undefined) return undefined;
    this.#entries.delete(kind);
    this.#entries.set(kind, entry);
    return entry;
  }

  #put(kind: string, entry: Entry): void {
    this.#entries.delete(kind);
    this.#entries.set(kind, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes() <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(kind: string): void {
    const entry = this.#entries.get(kind);
    if (entry?.state === "kept") entry.tape.close();
    this.#entries.delete(kind);
  }

  #bytes(): number {
    let bytes = 0;
    for (const entry of this.#entries.values()) if (entry.state === "kept") bytes += entry.tape.bytes;
    return bytes;
  }
}

/** The tape, or nothing where a run can't be recorded: it is then computed step by step, as before. */
function tryTo(record: () => Tape): Tape | undefined {
  try {
    return record();
  } catch (error) {
    const isExpected = error instanceof InferenceError && error.code === "unsupported";
    if (!isExpected) console.warn("nearside: a run that was right could not be recorded:", error);
    return undefined;
  }
}
