import type { Manifest } from "@nearside/core";
import { dispose, engine, type NamedTensorMap, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Device } from "../plan/device.ts";
import { findHalfWeights } from "../products/half-weights.ts";
import { storeArray } from "./array-weights.ts";
import { type ByteReader, byteReader, tooShort } from "./byte-reader.ts";
import { type StoredWeight, storedWeight } from "./stored-weight.ts";
import { storeInWasm } from "./wasm-weights.ts";
import { WebgpuWeights } from "./webgpu-weights.ts";

/**
 * Puts a model's weights onto a device as their shards come: besides what the backend holds, one shard is in memory, or
 * the stored bytes of a weight that lies in several (on webgpu not even these). Rejects with `data-loss` if shards and
 * weights don't fit together, `out-of-memory`, `no-backend` for a weight that the device can't hold; then nothing of any
 * is left.
 */
export async function loadWeights(
  manifest: Manifest,
  shards: AsyncIterator<ArrayBuffer>,
  device: Device,
): Promise<NamedTensorMap> {
  const weights = manifest.weightGroups.flatMap((group) => group.weights.map(storedWeight));
  checkSizes(manifest, weights);
  const bytes = byteReader(shards);
  const store = openStore(manifest, device);
  const tensors: NamedTensorMap = {};
  try {
    for (const weight of weights) {
      const info = await store.store(weight, bytes);
      tensors[weight.name]?.dispose(); // where two have a name, the last one counts
      tensors[weight.name] = engine().makeTensorFromTensorInfo(info, device.backend);
    }
    await store.settled?.();
    return tensors;
  } catch (error) {
    dispose(tensors);
    throw error;
  }
}

/** How weights get onto a device. */
interface WeightStore {
  store(weight: StoredWeight, bytes: ByteReader): Promise<TensorInfo>;
  /** Resolves once nothing can go wrong any more with what was stored. */
  settled?(): Promise<void>;
}

function openStore(manifest: Manifest, device: Device): WeightStore {
  if (device.name === "webgpu") {
    return new WebgpuWeights(device, device.productElements ? findHalfWeights(manifest) : new Set());
  }
  const store = device.name === "wasm" ? storeInWasm : storeArray;
  return { store: (weight, bytes) => store(weight, bytes, device) };
}

/** Throws `data-loss` for the first weight that lies beyond the shards' end, where their sizes are known. */
function checkSizes({ weightGroups }: Manifest, weights: readonly StoredWeight[]): void {
  let left = 0;
  for (const { bytes } of weightGroups.flatMap(({ shards }) => shards)) left += bytes ?? Number.POSITIVE_INFINITY;
  for (const { name, storedBytes } of weights) {
    if (storedBytes > left) throw tooShort(name, storedBytes, left);
    left -= storedBytes;
  }
}
