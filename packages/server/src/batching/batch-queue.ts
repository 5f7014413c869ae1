import { InferenceError, type Tensors } from "@nearside/core";
import type { BatchLimits } from "./batching-options.ts";

/** A run that waits for its batch. */
export interface QueuedRun {
  /** Runs with the same key can share a batch. */
  readonly key: string;
  readonly inputs: Tensors;
  readonly outputs: readonly string[] | undefined;
  readonly rows: number;
  /** 1 goes first, then 2 and so on; 0 goes last. */
  readonly priority: number;
  readonly sinceMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called when it is aborted while it runs, where that matters to its batch. */
  onAbort?: () => void;
  /** Called when its batch begins. */
  readonly onBegin: (() => void) | undefined;
  resolve(outputs: Tensors): void;
  reject(reason: unknown): void;
}

/** Runs that can share a batch, in the order that they are to run in; never empty. */
interface Bucket {
  readonly runs: QueuedRun[];
  rows: number;
}

/** Runs that wait, in a bucket each for those that can share a batch. */
export class BatchQueue {
  readonly #limits: BatchLimits;
  readonly #buckets = new Map<string, Bucket>();
  #rows = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** How many rows wait. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds a run. Throws `unavailable` if the queue is full. */
  add(run: QueuedRun): void {
    const { queueRows } = this.#limits;
    if (this.#rows + weight(run) > queueRows) {
      const message = `the queue is full: ${this.#rows} of ${queueRows} rows wait; try again later`;
      throw new InferenceError("unavailable", message);
    }
    const bucket = this.#buckets.get(run.key) ?? { runs: [], rows: 0 };
    const before = bucket.runs.findLastIndex((waiting) => !goesBefore(run, waiting));
    bucket.runs.splice(before + 1, 0, run);
    this.#buckets.set(run.key, bucket);
    bucket.rows += weight(run);
    this.#rows += weight(run);
  }

  /** Removes a run, if it still waits. */
  remove(run: QueuedRun): void {
    const bucket = this.#buckets.get(run.key);
    const index = bucket?.runs.indexOf(run) ?? -1;
    if (bucket && index >= 0) this.#take(run.key, bucket, index, 1);
  }

  /**
   * Takes the runs of the next batch, at most `maxRuns`: of the buckets that have a full one, or a run that has waited
   * long enough, or all with `flush`, the one whose first run goes first. Undefined where there is none.
   */
  takeBatch(nowMs: number, { flush, maxRuns }: { flush: boolean; maxRuns: number }): QueuedRun[] | undefined {
    let next: { key: string; bucket: Bucket; first: QueuedRun } | undefined;
    for (const [key, bucket] of this.#buckets) {
      const [first] = bucket.runs as [QueuedRun];
      const isReady = flush || this.#readyMs(bucket) <= nowMs;
      if (isReady && (!next || goesBefore(first, next.first))) next = { key, bucket, first };
    }
    if (!next) return undefined;
    let [count, rows] = [0, 0];
    for (const run of next.bucket.runs) {
      if (count > 0 && (count === maxRuns || rows + run.rows > this.#limits.batchRows)) break;
      count++;
      rows += run.rows;
    }
    return this.#take(next.key, next.bucket, 0, count);
  }

  /** When the first batch is ready, 0 for at once; undefined where nothing waits. */
  nextReadyMs(): number | undefined {
    const times = [...this.#buckets.values()].map((bucket) => this.#readyMs(bucket));
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  #readyMs({ runs, rows }: Bucket): number {
    const { batchRows, timeoutMs } = this.#limits;
    if (timeoutMs === 0 || rows >= batchRows) return 0;
    return Math.min(...runs.map(({ sinceMs }) => sinceMs)) + timeoutMs; // fewer runs than a batch has rows
  }

  #take(key: string, bucket: Bucket, index: number, count: number): QueuedRun[] {
    const taken = bucket.runs.splice(index, count);
    const rows = taken.reduce((sum, run) => sum + weight(run), 0);
    bucket.rows -= rows;
    this.#rows -= rows;
    if (bucket.runs.length === 0) this.#buckets.delete(key);
    return taken;
  }
}

/** What a run takes of the queue; one without rows takes memory, too. */
function weight({ rows }: QueuedRun): number {
  return Math.max(1, rows);
}

/** Whether a run goes before another: by priority, then by how long they wait. */
function goesBefore(run: QueuedRun, other: QueuedRun): boolean {
  const [rank, otherRank] = [rankOf(run), rankOf(other)];
  return rank === otherRank ? run.sinceMs < other.sinceMs : rank < otherRank;
}

function rankOf({ priority }: QueuedRun): number {
  return priority === 0 ? Number.POSITIVE_INFINITY : priority;
}
