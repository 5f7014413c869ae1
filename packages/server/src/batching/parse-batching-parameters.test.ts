import { describe, expect, test } from "vitest";
import { parseBatchingParameters } from "./parse-batching-parameters.ts";

describe("parseBatchingParameters", () => {
  test("reads what TensorFlow Serving's documentation shows", () => {
    const text = `
      max_batch_size { value: 128 }  # rows
      batch_timeout_micros { value: 0 }
      max_enqueued_batches { value: 1000000 }
      num_batch_threads { value: 8 }
      thread_pool_name { value: "cpu" }
      allowed_batch_sizes : 1
      allowed_batch_sizes : 32
      pad_variable_length_inputs: true
      enable_large_batch_splitting { value: true }
      max_execution_batch_size { value: 32 }
    `;
    expect(parseBatchingParameters(text, "batching.config")).toEqual({
      maxBatchSize: 128,
      batchTimeoutMicros: 0,
      maxEnqueuedBatches: 1000000,
      numBatchThreads: 8,
      allowedBatchSizes: [1, 32],
      padVariableLengthInputs: true,
      enableLargeBatchSplitting: true,
      maxExecutionBatchSize: 32,
    });
  });

  test("leaves out what the file doesn't say", () => {
    const options = parseBatchingParameters("", "batching.config");
    expect(options).toEqual({ allowedBatchSizes: [], padVariableLengthInputs: false });
  });

  test.each([
    ["max_batch_size { value: 0 }", "batching parameter max_batch_size"],
    ["max_batch_sise { value: 1 }", "batching.config, line 1"],
    ["max_batch_size { value: 4 } allowed_batch_sizes: 2", "allowed_batch_sizes"],
    ["max_batch_size {", "batching.config"],
  ])("refuses %s", (text, part) => {
    expect(() => parseBatchingParameters(text, "batching.config")).toThrow(part);
  });
});
