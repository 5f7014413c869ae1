import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32c, maskCrc } from "@nearside/converter/protobuf";
import { InferenceError, toInferenceError } from "@nearside/core";
import { classify } from "../inference/classify.ts";
import { exampleSignature, fromInput } from "../inference/examples.ts";
import { multiInference } from "../inference/multi-inference.ts";
import { predict } from "../inference/predict.ts";
import { regress } from "../inference/regress.ts";
import { decodeProto, type Proto } from "../protobuf/codec.ts";
import type { LoadedModel } from "./load-version.ts";

const maxRecords = 1000;

/**
 * Runs the requests in `assets.extra/tf_serving_warmup_requests` of a version's folder, where there is such a file: a
 * TFRecord of PredictionLogs, 1000 at most. Rejects, which fails the load, where one can't be read or run.
 */
export async function runWarmUpRequests(
  folder: string,
  loaded: LoadedModel,
  { iterations, signal }: { readonly iterations: number; readonly signal: AbortSignal },
): Promise<void> {
  const path = join(folder, "assets.extra", "tf_serving_warmup_requests");
  const bytes = await readFile(path).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return null;
    throw cause;
  });
  if (bytes === null) return;
  const records = readRecords(bytes, path);
  if (records.length > maxRecords) {
    const message = `Number of warmup records exceeds the maximum (${maxRecords}): ${path} has ${records.length}`;
    throw new InferenceError("invalid-argument", message);
  }
  const logs = records.map((record, index) =>
    decodeProto("tensorflow.serving.PredictionLog", record, `${path}, record ${index}`),
  );
  for (const [index, log] of logs.entries()) {
    for (let iteration = 0; iteration < iterations; iteration++) {
      signal.throwIfAborted();
      await replay(log, loaded, signal).catch((cause: unknown) => {
        const { code, message } = toInferenceError(cause);
        throw new InferenceError(code, `${path}, record ${index}: ${message}`, { cause });
      });
    }
  }
}

/**
 * The records of a TFRecord file: each its length (uint64), a checksum of that, the bytes, and a checksum of those.
 * Throws `data-loss` with TensorFlow Serving's message for anything else.
 */
export function readRecords(bytes: Uint8Array, where: string): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 12) throw notRecords(where, at);
    const length = Number(view.getBigUint64(at, true));
    const start = at + 12;
    const isWhole = length <= bytes.length - start - 4;
    if (!isWhole || !fits(view, at + 8, bytes.subarray(at, at + 8))) throw notRecords(where, at);
    const record = bytes.subarray(start, start + length);
    if (!fits(view, start + length, record)) throw notRecords(where, at);
    records.push(record);
    at = start + length + 4;
  }
  return records;
}

function fits(view: DataView, at: number, bytes: Uint8Array): boolean {
  return view.getUint32(at, true) === maskCrc(crc32c(bytes));
}

function notRecords(where: string, at: number): InferenceError {
  const message = `${where}, byte ${at}: no record. Please verify your warmup data is in TFRecord format.`;
  return new InferenceError("data-loss", message);
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
