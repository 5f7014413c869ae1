import { InferenceError } from "@nearside/core";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { env, findBackendFactory, registerBackend, removeBackend, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";

export interface WebgpuOptions {
  /** `navigator.gpu` in a browser; the object that the `webgpu` package creates in Node. */
  readonly gpu: GPU | undefined;
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

/** Loads the WebGPU backend on a device of its own, and tests it. Rejects with `no-backend`. */
export async function openWebgpuBackend({ gpu }: WebgpuOptions): Promise<LoadedBackend> {
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new InferenceError("no-backend", `backend "webgpu" cannot run here: ${gpu ? "no adapter" : "no WebGPU"}`);
  }
  provideNavigatorGpu(gpu as GPU); // it gave the adapter
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(limitNames.map((name) => [name, adapter.limits[name]])),
    requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
  });
  // Importing the package in a browser registers one whose device is out of our reach.
  if (findBackendFactory("webgpu")) removeBackend("webgpu");
  registerBackend("webgpu", () => new KeepingBackend(device, adapter.info), 3);
  const backend = await startBackend("webgpu");
  return {
    ...backend,
    close: async () => {
      await backend.close();
      device.destroy();
    },
  };
}

// Below it TensorFlow.js computes on the CPU as long as all inputs are there.
const smallSize = 1000;

/**
 * Keeps small tensors' values when it uploads them, and goes on computing with them on the CPU. TensorFlow.js drops
 * them: a loop's counter moves to the device once a kernel there takes the constant that it began with, and each
 * index is read back through a canvas, which not every worker survives.
 */
class KeepingBackend extends WebGPUBackend {
  override uploadToGPU(dataId: object): void {
    const { values, shape } = this.tensorMap.get(dataId);
    super.uploadToGPU(dataId);
    if (values && util.sizeFromShape(shape) < smallSize) this.tensorMap.get(dataId).values = values;
  }

  override shouldExecuteOnCPU(inputs: TensorInfo[], sizeThreshold = smallSize): boolean {
    if (super.shouldExecuteOnCPU(inputs, sizeThreshold)) return true;
    const isKept = ({ dataId, shape }: TensorInfo) =>
      this.tensorMap.get(dataId).values != null && util.sizeFromShape(shape) < sizeThreshold;
    return env().getBool("WEBGPU_CPU_FORWARD") && inputs.every(isKept);
  }
}

/** TensorFlow.js refuses to construct its backend unless `navigator.gpu` is there, which Node does not have. */
function provideNavigatorGpu(gpu: GPU): void {
  if (!("navigator" in globalThis)) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  if (!navigator.gpu) Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
}
