import { parseTextProto } from "../protobuf/text-proto.ts";
import { type BatchingOptions, batchLimits } from "./batching-options.ts";

/**
 * Reads TensorFlow Serving's batching parameters (`--batching_parameters_file`, `batching_params.pbtxt`), in protocol
 * buffers' text format. The thread pool's name has no meaning here. Throws `invalid-argument`, naming `where`.
 */
export function parseBatchingParameters(text: string, where: string): BatchingOptions {
  const { padVariableLengthInputs, allowedBatchSizes, enableLargeBatchSplitting, ...parameters } = parseTextProto(
    "tensorflow.serving.BatchingParameters",
    text,
    where,
  );
  const { maxBatchSize, batchTimeoutMicros, maxEnqueuedBatches, numBatchThreads, maxExecutionBatchSize } = parameters;
  const options: BatchingOptions = {
    ...(maxBatchSize && { maxBatchSize: Number(maxBatchSize.value) }),
    ...(batchTimeoutMicros && { batchTimeoutMicros: Number(batchTimeoutMicros.value) }),
    ...(maxEnqueuedBatches && { maxEnqueuedBatches: Number(maxEnqueuedBatches.value) }),
    ...(numBatchThreads && { numBatchThreads: Number(numBatchThreads.value) }),
    ...(maxExecutionBatchSize && { maxExecutionBatchSize: Number(maxExecutionBatchSize.value) }),
    ...(enableLargeBatchSplitting && { enableLargeBatchSplitting: enableLargeBatchSplitting.value }),
    allowedBatchSizes,
    padVariableLengthInputs,
  };
  batchLimits(options);
  return options;
}
