import { InferenceError, type Manifest } from "@nearside/core";
import type { ConvertOptions } from "./convert.ts";
import type { FileSink, FileSource } from "./files.ts";
import { type QuantizeContext, quantizeWeights } from "./graph-model/quantize-weights.ts";
import type { Weight } from "./graph-model/weights.ts";
import { type ModelDescription, needsOwnLoader, writeGraphModel } from "./graph-model/write-graph-model.ts";
import { readMemory, writeMemory } from "./memory-files.ts";
import type { ConversionReport } from "./report/conversion-report.ts";
import { chooseDTypes } from "./verification/choose-dtypes.ts";
import type { GoldenCase } from "./verification/golden.ts";
import type { OpenModel } from "./verification/run-model.ts";
import { verify } from "./verification/verify.ts";

/** A model that is about to be written. */
export interface UnstoredModel {
  readonly description: ModelDescription;
  readonly weights: readonly Weight[];
  readonly context: QuantizeContext;
  /** The model that this one was made of, as one that can be run. */
  readonly reference: () => Promise<FileSource>;
}

export interface StoreOptions extends Required<Pick<ConvertOptions, "shardBytes" | "quantize">> {
  readonly openModel: OpenModel | undefined;
  /** Whether to verify; and the golden cases to do it with, if there are some. */
  readonly verify: boolean;
  readonly golden: readonly GoldenCase[] | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ConvertOptions["onProgress"];
}

/** A model that was written: what was said of its weights before, and what of a report that tells. */
export interface StoredModel<Description> {
  readonly manifest: Manifest;
  readonly described: Description;
  readonly stored: Pick<
    ConversionReport,
    "needsOwnRuntime" | "decimalInputs" | "shards" | "weightBytes" | "chosenDTypes" | "verification" | "notices"
  >;
}

/**
 * Quantises a model's weights, describes and writes it, and verifies what was written. Where any of that fails, all is
 * discarded. `describe` is given the weights as they are stored.
 */
export async function storeModel<Description>(
  { description, weights: plain, context, reference }: UnstoredModel,
  sink: FileSink,
  { shardBytes, quantize, openModel, verify: isVerified, golden, signal, onProgress }: StoreOptions,
  describe: (weights: readonly Weight[]) => Description,
): Promise<StoredModel<Description>> {
  const { auto, ...byName } = quantize;
  const opener = auto || isVerified ? needed(openModel, auto ? "quantize.auto" : "verify") : undefined;
  const { weights, notices, chosen } =
    auto && opener
      ? await chooseDTypes(description, plain, context, {
          maxError: auto.maxError,
          openModel: opener,
          inputs: golden?.map(({ inputs }) => inputs),
        })
      : { ...(await quantizeWeights(plain, byName, context)), chosen: undefined };
  signal?.throwIfAborted();
  const described = describe(weights);
  try {
    const totalBytes = weights.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
    const onWritten = (writtenBytes: number) => onProgress?.({ writtenBytes, totalBytes });
    const files = new Map<string, Uint8Array>();
    const target = isVerified ? writeMemory(files, sink) : sink;
    const written = { shardBytes, signal, onWritten };
    const manifest = await writeGraphModel(description, weights, context.checkpoint, target, written);
    const verification =
      isVerified && opener
        ? await verify(await reference(), readMemory(files), {
            openModel: opener,
            golden,
            // What quantisation costs is for the reader to judge.
            ...(weights.some(({ quantization }) => quantization) && { tolerance: Number.POSITIVE_INFINITY }),
            signal,
          })
        : undefined;
    signal?.throwIfAborted();
    await sink.commit();
    const shards = manifest.weightGroups.flatMap((group) => group.shards);
    const stored = {
      needsOwnRuntime: description.ownOps.length > 0 || needsOwnLoader(weights) || manifest.decimalInputs.length > 0,
      decimalInputs: manifest.decimalInputs,
      shards,
      weightBytes: shards.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      ...(chosen && { chosenDTypes: chosen }),
      ...(verification && { verification }),
      notices,
    };
    return { manifest, described, stored };
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

function needed(openModel: OpenModel | undefined, what: string): OpenModel {
  if (openModel !== undefined) return openModel;
  const message = `${what}: expected openModel, a function that opens a model to run it, got none`;
  throw new InferenceError("invalid-argument", `${message}; @nearside/runtime opens models`);
}
