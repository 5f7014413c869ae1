import {
  dequantize,
  elementCount,
  InferenceError,
  type Manifest,
  type Quantization,
  quantizedBytes,
  quantizedDTypes,
  type Shard,
  type WeightElements,
  type WeightGroup,
  type WeightSpec,
} from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";
import type { StoredValue } from "../graph/graph.ts";
import type { Checkpoint } from "../saved-model/checkpoint.ts";
import { sha256Of } from "./sha256.ts";
import { type WeightDType, weightDTypes } from "./weight-dtype.ts";
import type { Weight } from "./weights.ts";

/** The weights of a graph model, and how to read their values. */
export interface StoredWeights {
  readonly weights: readonly Weight[];
  readonly values: Checkpoint;
}

/** Where a weight's bytes lie: within those of its group's shards, end to end. */
interface Place {
  readonly spec: WeightSpec;
  readonly dtype: WeightDType;
  readonly start: number;
  readonly end: number;
  read(start: number, end: number): Promise<Uint8Array>;
}

/** How many stored bytes are read at once; a multiple of every element's size. */
const chunkBytes = 1 << 20;

/**
 * Finds the weights of a graph model in its shards, one after another in each group.
 * Throws `data-loss` where shards and weights don't fit together, `unsupported` for a weight of another dtype.
 */
export async function openStoredWeights(source: FileSource, manifest: Manifest): Promise<StoredWeights> {
  const places = new Map<string, Place>();
  for (const group of manifest.weightGroups) {
    for (const place of await placesOf(source, group)) {
      if (places.has(place.spec.name)) throw damaged("model.json", `one weight "${place.spec.name}"`, "two");
      places.set(place.spec.name, place);
    }
  }
  return { weights: [...places.values()].map(weightAt), values: valuesAt(places) };
}

async function placesOf(source: FileSource, { shards, weights }: WeightGroup): Promise<readonly Place[]> {
  const files: { path: string; start: number; end: number }[] = [];
  let groupBytes = 0;
  for (const shard of shards) {
    const { path } = shard;
    const sizeBytes = await checkShard(source, shard);
    files.push({ path, start: groupBytes, end: groupBytes + sizeBytes });
    groupBytes += sizeBytes;
  }

  async function read(start: number, end: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(end - start);
    for (const file of files) {
      const [from, to] = [Math.max(start, file.start), Math.min(end, file.end)];
      if (from >= to) continue;
      const part = await source.read(file.path, from - file.start, to - file.start);
      if (part.length !== to - from) throw damaged(file.path, `${to - from} bytes`, String(part.length));
      bytes.set(part, from - start);
    }
    return bytes;
  }

  const places: Place[] = [];
  let at = 0;
  for (const spec of weights) {
    const where = `weight "${spec.name}"`;
    if (!isWeightDType(spec.dtype)) {
      const known = Object.keys(weightDTypes).join(", ");
      throw new InferenceError(
        "unsupported",
        `${where}: expected ${known}, got ${spec.dtype}; convert the model again`,
      );
    }
    const { bytes } = weightDTypes[spec.dtype];
    const count = elementCount(spec.shape);
    const sizeBytes = spec.quantization ? quantizedBytes(spec.quantization, spec.shape) : bytes && bytes * count;
    const end = sizeBytes === null ? await endOfStrings(read, at, count, groupBytes) : at + sizeBytes;
    if (end > groupBytes) throw damaged(where, `${end} bytes of shards`, String(groupBytes));
    places.push({ spec, dtype: spec.dtype, start: at, end, read });
    at = end;
  }
  if (at !== groupBytes) throw damaged("model.json", `${at} bytes of shards for its weights`, String(groupBytes));
  return places;
}

/** The size of a shard. Throws `data-loss` unless it is there and is what the manifest says. */
async function checkShard(source: FileSource, { path, bytes, sha256 }: Shard): Promise<number> {
  const sizeBytes = await source.sizeBytes(path);
  if (sizeBytes === undefined) throw damaged(path, "that file", "none (it is missing)");
  if (bytes !== null && bytes !== sizeBytes) throw damaged(path, `${bytes} bytes`, String(sizeBytes));
  if (sha256 === null) return sizeBytes;
  const actual = await sha256Of(new Uint8Array(await source.read(path, 0, sizeBytes)));
  if (actual !== sha256) throw damaged(path, `SHA-256 ${sha256}`, actual);
  return sizeBytes;
}

/** Each string is its length and its bytes, so the end shows as they are passed. */
async function endOfStrings(read: Place["read"], start: number, count: number, groupBytes: number): Promise<number> {
  let at = start;
  for (let index = 0; index < count && at + 4 <= groupBytes; index++) at += 4 + lengthAt(await read(at, at + 4), 0);
  return at;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

function isWeightDType(dtype: string): dtype is WeightDType {
  return Object.hasOwn(weightDTypes, dtype);
}

function weightAt(place: Place): Weight {
  const { spec, dtype, start, end } = place;
  const { name, shape, quantization } = spec;
  const sizeBytes = dtype === "string" ? null : end - start;
  const weight = { name, dtype, shape, sizeBytes, value: storedValue(place) };
  return quantization === undefined ? weight : { ...weight, quantization, readStored: () => readChunks(place) };
}

/** The bytes of a weight as they are stored, in chunks of whole elements. */
async function* readChunks({ start, end, read }: Place): AsyncIterable<Uint8Array> {
  for (let at = start; at < end; at += chunkBytes) yield await read(at, Math.min(end, at + chunkBytes));
}

function storedValue({ spec: { name, shape }, dtype }: Place): StoredValue {
  return { kind: "stored", dtype: weightDTypes[dtype].tensorflow, shape, key: name, slice: null };
}

/** How many elements of one tensor-wide quantisation the bytes are. */
function countIn({ byteLength }: Uint8Array, { dtype }: Quantization): number {
  return byteLength / quantizedDTypes[dtype].bytes;
}

function asBytes({ buffer, byteOffset, byteLength }: WeightElements): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The weights as a checkpoint has variables: what is quantised is read as float32. */
function valuesAt(places: ReadonlyMap<string, Place>): Checkpoint {
  function placeOf(key: string): Place {
    const place = places.get(key);
    if (place === undefined) throw damaged("model.json", `a weight "${key}"`, "none");
    return place;
  }
  return {
    value: (key) => (places.has(key) ? storedValue(placeOf(key)) : undefined),
    check: async ({ key }) => void placeOf(key),
    async *read({ key }) {
      const place = placeOf(key);
      const { shape, quantization } = place.spec;
      if (quantization?.dtype === "int8") {
        yield asBytes(dequantize(await place.read(place.start, place.end), quantization, shape));
      } else {
        for await (const chunk of readChunks(place)) {
          yield quantization === undefined
            ? chunk
            : asBytes(dequantize(chunk, quantization, [countIn(chunk, quantization)]));
        }
      }
    },
    async readStrings({ key, shape }) {
      const { start, end, read } = placeOf(key);
      const bytes = await read(start, end);
      const strings: Uint8Array[] = [];
      for (let at = 0; strings.length < elementCount(shape); at += 4 + lengthAt(bytes, at)) {
        strings.push(bytes.subarray(at + 4, at + 4 + lengthAt(bytes, at)));
      }
      return strings;
    },
  };
}
