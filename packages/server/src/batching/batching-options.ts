import { InferenceError } from "@nearside/core";

/** How runs are gathered into batches, in TensorFlow Serving's words. A row is one element of the first dimension. */
export interface BatchingOptions {
  /** The rows of a batch at most (default 1000). A run with more is refused, unless it may be split. */
  readonly maxBatchSize?: number;
  /** How long a run waits for others, in µs (default 0: until a batch can run). A full batch waits for nothing. */
  readonly batchTimeoutMicros?: number;
  /** How many batches run at a time (default 1). More than the session has instances makes batches smaller, no more. */
  readonly numBatchThreads?: number;
  /** How many full batches may wait (default 10). A run beyond is refused at once, with `unavailable`. */
  readonly maxEnqueuedBatches?: number;
  /** Batches are filled up to the next of these sizes with copies of their first row; ascending, the last the maximum. */
  readonly allowedBatchSizes?: readonly number[];
  /** Runs of different shapes share a batch, filled up with zeros where the signature leaves a dimension free. */
  readonly padVariableLengthInputs?: boolean;
  /** A run with more rows than a batch is split into several (default false). */
  readonly enableLargeBatchSplitting?: boolean;
  /** The rows of a batch at most where runs may be split (default `maxBatchSize`). */
  readonly maxExecutionBatchSize?: number;
  /** Called when a run joins the queue; what it returns is called when its batch begins. */
  readonly onEnqueue?: () => (() => void) | undefined;
  /** Told of each batch and of how many rows wait. */
  readonly onEvent?: (event: BatchingEvent) => void;
}

/** What a batching session tells about itself, for metrics. */
export type BatchingEvent =
  /** So many rows wait now. */
  | { readonly type: "queue"; readonly rows: number }
  /** A batch begins: its rows, those that only fill it up, and how long each of its runs has waited. */
  | {
      readonly type: "batch";
      readonly rows: number;
      readonly paddingRows: number;
      readonly queuedMs: readonly number[];
    };

/** Options that fit together; the sizes are those of batches that run. */
export interface BatchLimits {
  readonly batchRows: number;
  readonly queueRows: number;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly allowedBatchSizes: readonly number[];
  readonly padsInputs: boolean;
  readonly splits: boolean;
}

/** Checks batching options and fills in their defaults. Throws `invalid-argument`, naming the option in the parameters file. */
export function batchLimits({
  maxBatchSize = 1000,
  batchTimeoutMicros = 0,
  numBatchThreads = 1,
  maxEnqueuedBatches = 10,
  allowedBatchSizes = [],
  padVariableLengthInputs = false,
  enableLargeBatchSplitting = false,
  maxExecutionBatchSize = maxBatchSize,
}: BatchingOptions = {}): BatchLimits {
  const atLeast = (minimum: number, value: number, name: string) => {
    if (!Number.isSafeInteger(value) || value < minimum) throw invalid(name, `a whole number ≥ ${minimum}`, value);
    return value;
  };
  atLeast(1, maxBatchSize, "max_batch_size");
  const batchRows = enableLargeBatchSplitting
    ? atLeast(1, maxExecutionBatchSize, "max_execution_batch_size")
    : maxBatchSize;
  if (batchRows > maxBatchSize) {
    throw invalid("max_execution_batch_size", `at most max_batch_size, ${maxBatchSize}`, batchRows);
  }
  for (const [index, size] of allowedBatchSizes.entries()) {
    const previous = allowedBatchSizes[index - 1] ?? 0;
    if (atLeast(1, size, "allowed_batch_sizes") <= previous) {
      throw invalid("allowed_batch_sizes", "ascending sizes", `${size} after ${previous}`);
    }
  }
  if (allowedBatchSizes.length > 0 && allowedBatchSizes.at(-1) !== batchRows) {
    const maximum = enableLargeBatchSplitting ? "max_execution_batch_size" : "max_batch_size";
    throw invalid("allowed_batch_sizes", `the last to be ${maximum}, ${batchRows}`, allowedBatchSizes.at(-1));
  }
  return {
    batchRows,
    queueRows: atLeast(1, maxEnqueuedBatches, "max_enqueued_batches") * batchRows,
    timeoutMs: atLeast(0, batchTimeoutMicros, "batch_timeout_micros") / 1000,
    concurrency: atLeast(1, numBatchThreads, "num_batch_threads"),
    allowedBatchSizes,
    padsInputs: padVariableLengthInputs,
    splits: enableLargeBatchSplitting,
  };
}

function invalid(name: string, expected: string, got: unknown): InferenceError {
  return new InferenceError("invalid-argument", `batching parameter ${name}: expected ${expected}, got ${got}`);
}
