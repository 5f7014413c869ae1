import { elementCount, InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";
import { type DataType, dataTypeFromNumber, dataTypes } from "../graph/data-type.ts";
import type { Box, StoredValue } from "../graph/graph.ts";
import { copyBox, isInside, isSameBox, resolveBox } from "./box.ts";
import { type BundleIndex, emptyIndex, readBundleIndex } from "./bundle-index.ts";
import { crc32c, maskCrc } from "./crc32c.ts";
import type { Proto } from "./messages.ts";
import { shapeFromProto } from "./shape.ts";
import { decodeStringTensor } from "./string-tensor.ts";

/** The variables of a SavedModel. Opening it reads the index only; values are read from their data shard by range. */
export interface Checkpoint {
  /** The value under `key`, or the box of it that is `slice`; undefined where there is no such key. */
  value(key: string, slice: Box | null): StoredValue | undefined;
  /** Throws `data-loss` unless all of the value's bytes are there. Reads none of them. */
  check(value: StoredValue): Promise<void>;
  /** The value's elements, row-major and little-endian, in chunks of whole elements. Its checksum is checked. */
  read(value: StoredValue): AsyncIterable<Uint8Array>;
  /** The elements of a value of dtype `DT_STRING`. */
  readStrings(value: StoredValue): Promise<readonly Uint8Array[]>;
}

/** Opens the checkpoint with the index `<prefix>.index`; one that isn't there has no keys. */
export async function openCheckpoint(source: FileSource, prefix: string): Promise<Checkpoint> {
  const path = `${prefix}.index`;
  const sizeBytes = await source.sizeBytes(path);
  const bytes = sizeBytes === undefined ? undefined : await source.read(path, 0, sizeBytes);
  return createCheckpoint(source, prefix, bytes === undefined ? emptyIndex : readBundleIndex(bytes, path));
}

/** How many bytes of a data shard are read at once. */
const chunkBytes = 1 << 20; // a multiple of every element's size

interface Entry {
  readonly where: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly shardPath: string;
  readonly start: number;
  readonly sizeBytes: number;
  readonly maskedCrc: number;
}

function createCheckpoint(source: FileSource, prefix: string, { numShards, entries, parts }: BundleIndex): Checkpoint {
  function entryOf(key: string): Proto<"BundleEntryProto"> {
    const entry = entries.get(key);
    if (entry !== undefined) return entry;
    throw damaged(`${prefix}.index`, `a value for "${key}"`, "none");
  }

  const shardSizes = new Map<string, Promise<number | undefined>>();
  function sizeOfShard(path: string): Promise<number | undefined> {
    const size = shardSizes.get(path) ?? source.sizeBytes(path);
    shardSizes.set(path, size);
    return size;
  }

  async function locate(key: string, proto: Proto<"BundleEntryProto">): Promise<Entry> {
    const shardPath = `${prefix}.data-${digits(proto.shardId)}-of-${digits(numShards)}`;
    const where = `${shardPath}, "${key}"`;
    const dtype = dataTypeFromNumber(proto.dtype);
    const shape = knownShape(proto, where);
    const shardBytes = await sizeOfShard(shardPath);
    if (shardBytes === undefined) throw damaged(where, "that file", "none (it is missing)");
    const { offset: start, size: sizeBytes, crc32c: maskedCrc } = proto;
    if (start < 0 || sizeBytes < 0 || start + sizeBytes > shardBytes) {
      throw damaged(where, `${sizeBytes} bytes at ${start}`, `a file of ${shardBytes}`);
    }
    const elementBytes = dataTypes[dtype].bytes;
    if (elementBytes !== null && elementCount(shape) * elementBytes !== sizeBytes) {
      throw damaged(where, `${elementCount(shape) * elementBytes} bytes for ${dtype} [${shape}]`, String(sizeBytes));
    }
    return { where, dtype, shape, shardPath, start, sizeBytes, maskedCrc };
  }

  async function* readEntry(entry: Entry): AsyncIterable<Uint8Array> {
    const { where, shardPath, start, sizeBytes } = entry;
    let crc = 0;
    for (let done = 0; done < sizeBytes; done += chunkBytes) {
      const length = Math.min(chunkBytes, sizeBytes - done);
      const chunk = await source.read(shardPath, start + done, start + done + length);
      if (chunk.length !== length) throw damaged(where, `${length} bytes at ${start + done}`, String(chunk.length));
      crc = crc32c(chunk, crc);
      yield chunk;
    }
    if (maskCrc(crc) !== entry.maskedCrc) throw wrongChecksum(entry, crc);
  }

  async function readWhole(entry: Entry): Promise<Uint8Array> {
    const bytes = new Uint8Array(entry.sizeBytes);
    let done = 0;
    for await (const chunk of readEntry(entry)) {
      bytes.set(chunk, done);
      done += chunk.length;
    }
    return bytes;
  }

  /** The parts that a value is pasted together from; a tensor that isn't partitioned is its only part. */
  async function locateParts(key: string): Promise<{ box: Box; entry: Entry }[]> {
    const entry = entryOf(key);
    const shape = knownShape(entry, `"${key}"`);
    if (entry.slices.length === 0) {
      return [{ box: { starts: shape.map(() => 0), lengths: shape }, entry: await locate(key, entry) }];
    }
    return await Promise.all(
      entry.slices.map(async (slice) => {
        const box = resolveBox(boxFromProto(slice), shape);
        const part = parts.get(key)?.find((candidate) => isSameBox(resolveBox(candidate.box, shape), box));
        const isWhole = part !== undefined && isInside(box, shape);
        if (!isWhole) throw damaged(`${prefix}.index, "${key}"`, `a part at ${box.starts} of ${box.lengths}`, "none");
        return { box, entry: await locate(key, part.entry) };
      }),
    );
  }

  /** Reads a value that isn't one entry: pastes the parts together, then cuts the slice out. All in memory. */
  async function assemble({ key, slice, dtype }: StoredValue): Promise<Uint8Array> {
    const elementBytes = dataTypes[dtype].bytes;
    if (elementBytes === null) {
      throw new InferenceError("unsupported", `"${key}": a partitioned ${dtype} can't be read; save it in one piece`);
    }
    const shape = knownShape(entryOf(key), `"${key}"`);
    const located = await locateParts(key);
    const wholeBytes = elementCount(shape) * elementBytes;
    const partBytes = located.reduce((sum, { entry }) => sum + entry.sizeBytes, 0);
    if (partBytes !== wholeBytes) throw damaged(`"${key}"`, `parts of ${wholeBytes} bytes in all`, String(partBytes));
    const whole = new Uint8Array(wholeBytes);
    for (const { box, entry } of located) {
      const part = { bytes: await readWhole(entry), shape: box.lengths, starts: box.lengths.map(() => 0) };
      copyBox(part, { bytes: whole, shape, starts: box.starts }, box.lengths, elementBytes);
    }
    if (slice === null) return whole;
    const cut = new Uint8Array(elementCount(slice.lengths) * elementBytes);
    const target = { bytes: cut, shape: slice.lengths, starts: slice.lengths.map(() => 0) };
    copyBox({ bytes: whole, shape, starts: slice.starts }, target, slice.lengths, elementBytes);
    return cut;
  }

  /** The one entry whose bytes are exactly this value, if there is one. */
  async function entryOfValue({ key, slice }: StoredValue): Promise<Entry | undefined> {
    const located = await locateParts(key);
    if (slice === null) return located.length === 1 ? located[0]?.entry : undefined;
    return located.find(({ box }) => isSameBox(box, slice))?.entry;
  }

  return {
    value(key, slice) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const shape = knownShape(entry, `"${key}"`);
      const box = slice === null ? null : resolveBox(slice, shape);
      if (box !== null && !isInside(box, shape)) {
        throw damaged(`"${key}"`, `a slice within [${shape}]`, `[${box.lengths}] at [${box.starts}]`);
      }
      const dtype = dataTypeFromNumber(entry.dtype);
      return { kind: "stored", dtype, shape: box === null ? shape : box.lengths, key, slice: box };
    },

    async check({ key }) {
      await locateParts(key);
    },

    async *read(value) {
      const entry = await entryOfValue(value);
      if (entry === undefined) yield await assemble(value);
      else yield* readEntry(entry);
    },

    async readStrings(value) {
      const entry = await entryOfValue(value);
      if (entry === undefined) {
        throw new InferenceError("unsupported", `"${value.key}": a partitioned string variable can't be read`);
      }
      const bytes = await readWholeUnchecked(source, entry);
      const { strings, crc } = decodeStringTensor(bytes, elementCount(entry.shape), entry.where);
      if (maskCrc(crc) !== entry.maskedCrc) throw wrongChecksum(entry, crc);
      return strings;
    },
  };
}

/** The bytes of a string tensor: its checksum isn't over the bytes as they lie there. */
async function readWholeUnchecked(source: FileSource, { shardPath, start, sizeBytes, where }: Entry) {
  const bytes = await source.read(shardPath, start, start + sizeBytes);
  if (bytes.length !== sizeBytes) throw damaged(where, `${sizeBytes} bytes at ${start}`, String(bytes.length));
  return bytes;
}

function knownShape({ shape }: Proto<"BundleEntryProto">, where: string): readonly number[] {
  return (shapeFromProto(shape) ?? []).map((size) => {
    if (size !== null) return size;
    throw damaged(where, "a known shape", "an unknown size");
  });
}

function boxFromProto({ extent }: Proto<"TensorSliceProto">): Box {
  return { starts: extent.map(({ start }) => start), lengths: extent.map(({ length }) => length ?? -1) };
}

function digits(number: number): string {
  return String(number).padStart(5, "0");
}

function wrongChecksum({ where, maskedCrc }: Entry, crc: number): InferenceError {
  return damaged(where, `checksum ${maskedCrc.toString(16)}`, maskCrc(crc).toString(16));
}
