import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";

/**
 * A tensor of float32 whose elements are float16 in the device's memory, two to a word; an odd last one has a 0 beside
 * it. Only products take it, as their second operand: to TensorFlow.js's own kernels it would be integers.
 */
export function makeHalfTensor(backend: WebGPUBackend, shape: readonly number[]): TensorInfo {
  const { dataId } = backend.makeTensorInfo([Math.ceil(util.sizeFromShape([...shape]) / 2)], "int32");
  Object.assign(backend.tensorMap.get(dataId), { isHalf: true });
  return { dataId, shape: [...shape], dtype: "float32" };
}

/** True of what {@link makeHalfTensor} made. */
export function isHalf(backend: WebGPUBackend, { dataId }: TensorInfo): boolean {
  return (backend.tensorMap.get(dataId) as { readonly isHalf?: true }).isHalf === true; // what was assigned above
}
