import { elementCount, InferenceError, type Quantization } from "@nearside/core";
import type { Graph, TensorValue } from "../graph/graph.ts";
import { joinBytes } from "../join-bytes.ts";
import type { Checkpoint } from "../saved-model/checkpoint.ts";
import { computeFloats } from "./compute-floats.ts";
import { quantize } from "./quantization.ts";
import { quantizeChannels } from "./quantize-channels.ts";
import { listStates } from "./states.ts";
import { listTables } from "./tables.ts";
import { storageOf, type WeightDType, weightDTypes } from "./weight-dtype.ts";

/** A weight as the manifest lists it, and where its value is. */
export interface Weight {
  readonly name: string;
  readonly dtype: WeightDType;
  readonly shape: readonly number[];
  /** The bytes it takes in a shard; null for strings, whose size is known once they are read. */
  readonly sizeBytes: number | null;
  readonly value: TensorValue;
  /** How its elements are stored, where that isn't as `dtype`. */
  readonly quantization?: Quantization;
  /** Reads its elements as they are stored, where it is quantised already. */
  readonly readStored?: () => AsyncIterable<Uint8Array>;
}

/**
 * The weights of a graph: its constants, those of its functions, those of its lookup tables and what its variables hold
 * at first, in order. Throws `unsupported` for one that can't be stored.
 */
export function listWeights(graph: Graph): readonly Weight[] {
  const nodes = [graph, ...graph.functions.values()].flatMap((body) => [...body.nodes.values()]);
  const tables = listTables(graph).flatMap(({ constants }) => constants);
  const states = listStates(graph).map(({ initial }) => initial);
  return [...nodes, ...tables, ...states].flatMap(({ name, op, value }) => {
    if (op !== "Const") return [];
    if (value === undefined) {
      throw new InferenceError("unsupported", `constant "${name}": TensorFlow.js has no constants of its dtype`);
    }
    const { dtype } = storageOf(value.dtype, `constant "${name}"`);
    const { bytes } = weightDTypes[dtype];
    const sizeBytes = bytes === null ? null : bytes * elementCount(value.shape);
    return [{ name, dtype, shape: value.shape, sizeBytes, value }];
  });
}

/** The bytes of a weight as they lie in a shard, in chunks of whole elements; all of them in one where it is int8. */
export async function* readWeight(weight: Weight, checkpoint: Checkpoint): AsyncIterable<Uint8Array> {
  const { quantization, shape, readStored } = weight;
  if (readStored !== undefined) {
    yield* readStored();
  } else if (quantization?.dtype === "int8") {
    const parts: Uint8Array[] = [];
    for await (const chunk of readElements(weight, checkpoint)) parts.push(chunk.slice());
    yield quantizeChannels(floatsOf(joinBytes(parts)), quantization, shape);
  } else {
    for await (const chunk of readElements(weight, checkpoint)) {
      yield quantization === undefined ? chunk : quantize(floatsOf(chunk), quantization);
    }
  }
}

/** The elements of a chunk of a float32 weight. */
export function floatsOf(chunk: Uint8Array): Float32Array {
  const isAligned = chunk.byteOffset % 4 === 0;
  const { buffer, byteOffset, byteLength } = isAligned ? chunk : new Uint8Array(chunk);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** The bytes of a weight's elements, each of the weight's dtype. */
async function* readElements({ name, value }: Weight, checkpoint: Checkpoint): AsyncIterable<Uint8Array> {
  const where = `constant "${name}"`;
  const { dtype, convert } = storageOf(value.dtype, where);
  if (dtype === "string") {
    yield encodeStrings(await readStrings(value, checkpoint));
  } else if (value.kind === "stored") {
    for await (const chunk of checkpoint.read(value)) yield convert(chunk, where);
  } else if (value.kind === "computed") {
    const floats = await computeFloats(value, checkpoint);
    yield new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  } else if (value.data instanceof Uint8Array) {
    yield convert(value.data, where);
  }
}

async function readStrings(value: TensorValue, checkpoint: Checkpoint): Promise<readonly Uint8Array[]> {
  if (value.kind === "stored") return await checkpoint.readStrings(value);
  return value.kind === "computed" || value.data instanceof Uint8Array ? [] : value.data;
}

/** Each string as its length in bytes (uint32, little-endian) and its bytes. */
function encodeStrings(strings: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(strings.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const string of strings) {
    view.setUint32(at, string.length, true);
    bytes.set(string, at + 4);
    at += 4 + string.length;
  }
  return bytes;
}
