import { InferenceError } from "@nearside/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { KernelAttrs } from "../kernels/kernel-attrs.ts";
import { invalid } from "../kernels/plain-tensors.ts";
import { type BoundKernel, bindKernel, type Device } from "../plan/device.ts";
import type { DirectOp, RunDirect } from "../plan/op.ts";

/** An op that is one kernel; `run` says how its inputs and attributes get there. */
export function kernelOp(
  name: string,
  run: (kernel: BoundKernel, attrs: KernelAttrs, device: Device) => RunDirect,
  reads: readonly number[] = [],
): DirectOp {
  return { reads, bind: (attrs, device) => run(bindKernel(device, name), attrs, device) };
}

/** The input at a place. Throws `data-loss` where the graph has none. */
export function inputAt(inputs: readonly TensorInfo[], index: number): TensorInfo {
  const input = inputs[index];
  if (input === undefined) throw new InferenceError("data-loss", `expected an input ${index}, got ${inputs.length}`);
  return input;
}

/** Throws `invalid-argument` for a bias or slopes that are a vector of another length: it would be read beyond its end. */
export function checkVector(op: string, vector: TensorInfo | undefined, channels: number | undefined): void {
  if (vector?.shape.length !== 1 || vector.shape[0] === channels) return;
  throw invalid(op, `expected a vector of the ${channels} channels, got [${vector.shape}]`);
}

/** The same elements in another shape: a view that borrows what it is made of. */
export function viewed(tensor: TensorInfo, shape: number[]): TensorInfo {
  return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
}

/** Same shape, element by element. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
