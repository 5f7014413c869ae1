import { InferenceError } from "@nearside/core";
import { findBackendFactory, registerBackend, removeBackend, type TensorInfo } from "@tensorflow/tfjs-core";
import { ImageShader } from "../images/image-shader.ts";
import { measureTiles } from "../products/measure-tiles.ts";
import { registerProductKernels } from "../products/product-kernels.ts";
import { softwareChoices, type TileChoices } from "../products/tile-choice.ts";
import { compileShaders } from "../tape/compile-shaders.ts";
import { recordTape, unknownTensor } from "../tape/record-tape.ts";
import { hoistDirectives } from "./hoist-directives.ts";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";
import { RecordingWebgpuBackend } from "./recording-webgpu-backend.ts";
import { watchDevice } from "./watch-device.ts";

export type { TileChoices };

export interface WebgpuOptions {
  /** `navigator.gpu` in a browser; the object that the `webgpu` package creates in Node. */
  readonly gpu: GPU | undefined;
  /** Where it is remembered what was found out about a device; without one that is tested and measured each time. */
  readonly deviceMemory?: DeviceMemory | undefined;
}

/** Remembers what was measured on a device, which then computes a known product correctly. Neither may reject. */
export interface DeviceMemory {
  recall(device: GPUAdapterInfo): Promise<TileChoices | undefined>;
  remember(device: GPUAdapterInfo, choices: TileChoices): Promise<void>;
}

// What TensorFlow.js's kernels may need above WebGPU's guaranteed minimum; a device gets no more than it is asked for.
const limitNames = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
] as const;

const featureNames = ["timestamp-query", "shader-f16"] as const;

/** Loads the WebGPU backend on a device of its own, and tests and measures a new one. Rejects with `no-backend`. */
export async function openWebgpuBackend({ gpu, deviceMemory }: WebgpuOptions): Promise<LoadedBackend> {
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new InferenceError("no-backend", `backend "webgpu" cannot run here: ${gpu ? "no adapter" : "no WebGPU"}`);
  }
  provideNavigatorGpu(gpu as GPU); // it gave the adapter
  const recalling = deviceMemory?.recall(adapter.info);
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(limitNames.map((name) => [name, adapter.limits[name]])),
    requiredFeatures: featureNames.filter((name) => adapter.features.has(name)),
  });
  hoistDirectives(device);
  registerProductKernels();
  // Importing the package in a browser registers one whose device is out of our reach.
  if (findBackendFactory("webgpu")) removeBackend("webgpu");
  const recording = new RecordingWebgpuBackend(device, adapter.info);
  registerBackend("webgpu", () => recording, 3);
  const known = await recalling;
  const isTested = known !== undefined && adapter.info.vendor !== ""; // without a name it might be any device
  const backend = await startBackend("webgpu", { isTested }).catch((error: unknown) => {
    device.destroy();
    throw error;
  });
  const { watch, throwIfLost } = watchDevice(device);
  const { vendor, architecture, device: model, description } = adapter.info;
  const { bufferPool } = recording;
  const images = new ImageShader(device);
  const close = async () => {
    await backend.close();
    device.destroy();
  };
  try {
    const choices = adapter.info.isFallbackAdapter ? softwareChoices : known;
    recording.tileChoices = choices ?? (await watch(() => measureTiles(recording)));
  } catch (error) {
    await close();
    throw error;
  }
  if (!known) await deviceMemory?.remember(adapter.info, recording.tileChoices);
  const bufferOf = ({ dataId }: TensorInfo) => {
    recording.uploadToGPU(dataId);
    recording.submitCommands();
    return recording.tensorMap.get(dataId).resource as GPUBuffer; // where it is now
  };
  return {
    ...backend,
    device: [vendor, architecture, model, description].join(" "),
    watch: (run) => watch(() => backend.watch(run)).finally(() => bufferPool.countRun()),
    ahead: {
      compile: (inputs, run, onProgress) => compileShaders(recording, inputs, run, onProgress),
      record: (inputs, run) => recordTape(recording, inputs, run, throwIfLost),
      bufferOf,
      allocate: (input) => unknownTensor(recording, input),
    },
    imageTensor(image) {
      if (!images.takes(image)) return undefined;
      const info = unknownTensor(recording, image);
      try {
        images.draw(image, bufferOf(info));
        return info;
      } catch (error) {
        recording.disposeData(info.dataId);
        throw error;
      }
    },
    memory: () => ({ ...backend.memory(), deviceBytes: bufferPool.numBytesAllocated }),
    trim: () => bufferPool.trim(),
    close,
  };
}

/** TensorFlow.js refuses to construct its backend unless `navigator.gpu` is there, which Node does not have. */
function provideNavigatorGpu(gpu: GPU): void {
  if (!("navigator" in globalThis)) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  if (!navigator.gpu) Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
}
