import { InferenceError } from "@nearside/core";
import type { FileSink } from "../files.ts";
import type { Checkpoint } from "../saved-model/checkpoint.ts";
import { sha256Of } from "./sha256.ts";
import { readWeight, type Weight } from "./weights.ts";

/** A weights file as the manifest lists it. */
export interface WrittenShard {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface WriteShardsOptions {
  readonly shardBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWritten?: ((writtenBytes: number) => void) | undefined;
}

/** Throws `invalid-argument` unless a shard can have that size. */
export function checkShardBytes(shardBytes: number): void {
  if (Number.isSafeInteger(shardBytes) && shardBytes >= 1) return;
  throw new InferenceError("invalid-argument", `shardBytes: expected a whole number ≥ 1, got ${shardBytes}`);
}

const maxShards = 10_000; // 40 GB in shards of the default size

function checkShardCount(weightBytes: number, shardBytes: number): void {
  if (weightBytes <= maxShards * shardBytes) return;
  const got = `${weightBytes} bytes of weights in shards of ${shardBytes}`;
  const advice = `give shardBytes of at least ${Math.ceil(weightBytes / maxShards)}`;
  throw new InferenceError(
    "invalid-argument",
    `shardBytes: expected at most ${maxShards} shards, got ${got}; ${advice}`,
  );
}

/**
 * Writes weights end to end into shards of at most `shardBytes`. A shard begins with a weight and holds whole weights;
 * a weight that is larger than a shard is cut over shards of its own. Each is named by the beginning of its SHA-256, so
 * a shard that didn't change keeps its name. About two shards are in memory at any time: one is hashed and written
 * while the next one is filled. Throws `invalid-argument` where these would be more files than a folder is good for.
 */
export async function writeShards(
  weights: readonly Weight[],
  checkpoint: Checkpoint,
  sink: FileSink,
  { shardBytes, signal, onWritten }: WriteShardsOptions,
): Promise<readonly WrittenShard[]> {
  const shards: WrittenShard[] = [];
  const paths = new Set<string>();
  let shard = new Uint8Array(0);
  let pendingBytes = 0;
  let endedBytes = 0;
  let writtenBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const knownBytes = weights.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  checkShardCount(knownBytes, shardBytes);

  async function write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const sha256 = await sha256Of(bytes);
    const path = `${sha256.slice(0, 16)}.bin`;
    if (!paths.has(path)) await sink.write(path, bytes);
    paths.add(path);
    shards.push({ path, bytes: bytes.length, sha256 });
    writtenBytes += bytes.length;
    onWritten?.(writtenBytes);
  }

  /** Has the shard written while the next one is filled. */
  async function endShard(): Promise<void> {
    if (pendingBytes === 0) return;
    signal?.throwIfAborted();
    const bytes = shard.subarray(0, pendingBytes);
    shard = new Uint8Array(0); // not used again, as the sink may keep its bytes
    endedBytes += pendingBytes;
    pendingBytes = 0;
    await writing;
    writing = write(bytes);
    writing.catch(() => {}); // it is reported where it is awaited, which may be later than it fails
  }

  function append(part: Uint8Array): void {
    if (pendingBytes + part.length > shard.length) {
      const neededBytes = Math.max(knownBytes - endedBytes, pendingBytes + part.length);
      const larger = new Uint8Array(Math.min(shardBytes, neededBytes));
      larger.set(shard.subarray(0, pendingBytes));
      shard = larger;
    }
    shard.set(part, pendingBytes);
    pendingBytes += part.length;
  }

  try {
    for (const weight of weights) {
      // Strings come as one chunk, so that their size is known where it is needed.
      const isLarge = weight.sizeBytes !== null && weight.sizeBytes > shardBytes;
      if (isLarge || pendingBytes + (weight.sizeBytes ?? 0) > shardBytes) await endShard();
      for await (const chunk of readWeight(weight, checkpoint)) {
        signal?.throwIfAborted();
        if (weight.sizeBytes === null && pendingBytes + chunk.length > shardBytes) await endShard();
        for (let at = 0; at < chunk.length; ) {
          const part = chunk.subarray(at, at + shardBytes - pendingBytes);
          append(part);
          at += part.length;
          if (pendingBytes === shardBytes) await endShard();
        }
      }
      if (isLarge) await endShard();
    }
    await endShard();
  } finally {
    await writing; // so that nothing is written any more once this ends, in whichever way
  }
  return shards;
}
