import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceError, toInferenceError } from "@nearside/core";
import { classify } from "../inference/classify.ts";
import { exampleSignature, fromInput } from "../inference/examples.ts";
import { multiInference } from "../inference/multi-inference.ts";
import { predict } from "../inference/predict.ts";
import { regress } from "../inference/regress.ts";
import { decodeProto, type Proto } from "../protobuf/codec.ts";
import { readRecords } from "../protobuf/tf-record.ts";
import type { LoadedModel } from "./load-version.ts";

const maxRecords = 1000;

/** How the requests are run, and who is told. */
export interface WarmUpOptions {
  readonly iterations: number;
  readonly signal: AbortSignal;
  /** Told where there were requests: how many records, how long they took, and why they failed. */
  readonly onWarmUp: (records: number, durationMs: number, error: InferenceError | null) => void;
}

/**
 * Runs the requests in `assets.extra/tf_serving_warmup_requests` of a version's folder, where there is such a file: a
 * TFRecord of PredictionLogs, 1000 at most. Rejects, which fails the load, where one can't be read or run.
 */
export async function runWarmUpRequests(
  folder: string,
  loaded: LoadedModel,
  { iterations, signal, onWarmUp }: WarmUpOptions,
): Promise<void> {
  const path = join(folder, "assets.extra", "tf_serving_warmup_requests");
  const bytes = await readFile(path).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return null;
    throw cause;
  });
  if (bytes === null) return;
  const startMs = performance.now();
  let records = 0;
  try {
    for (const log of readLogs(bytes, path)) {
      for (let iteration = 0; iteration < iterations; iteration++) {
        signal.throwIfAborted();
        await replay(log, loaded, signal).catch((cause: unknown) => {
          const { code, message } = toInferenceError(cause);
          throw new InferenceError(code, `${path}, record ${records}: ${message}`, { cause });
        });
      }
      records++;
    }
    onWarmUp(records, performance.now() - startMs, null);
  } catch (error) {
    onWarmUp(records, performance.now() - startMs, toInferenceError(error));
    throw error;
  }
}

function readLogs(bytes: Uint8Array, path: string): readonly Proto<"tensorflow.serving.PredictionLog">[] {
  const records = readRecords(bytes, path);
  if (records.length > maxRecords) {
    const message = `Number of warmup records exceeds the maximum (${maxRecords}): ${path} has ${records.length}`;
    throw new InferenceError("invalid-argument", message);
  }
  return records.map((record, index) =>
    decodeProto("tensorflow.serving.PredictionLog", record, `${path}, record ${index}`),
  );
}

async function replay(
  log: Proto<"tensorflow.serving.PredictionLog">,
  loaded: LoadedModel,
  signal: AbortSignal,
): Promise<void> {
  const { predictLog, classifyLog, regressLog, multiInferenceLog } = log;
  if (predictLog?.request) {
    await predict(loaded, predictLog.request, signal);
  } else if (classifyLog?.request) {
    const { modelSpec, input } = classifyLog.request;
    await classify(exampleSignature(loaded, modelSpec?.signatureName ?? ""), fromInput(input), signal);
  } else if (regressLog?.request) {
    const { modelSpec, input } = regressLog.request;
    await regress(exampleSignature(loaded, modelSpec?.signatureName ?? ""), fromInput(input), signal);
  } else if (multiInferenceLog?.request) {
    const { tasks, input } = multiInferenceLog.request;
    const named = tasks.map(({ modelSpec, methodName }) => ({
      signatureName: modelSpec?.signatureName ?? "",
      methodName,
    }));
    await multiInference(loaded, named, fromInput(input), signal);
  } else {
    const message = "Unsupported log_type for warmup: expected predict, classify, regress or multi_inference";
    throw new InferenceError("unsupported", message);
  }
}
