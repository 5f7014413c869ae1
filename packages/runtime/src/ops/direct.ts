import { InferenceError } from "@nearside/core";
import type { DataType, TensorInfo } from "@tensorflow/tfjs-core";
import type { Values } from "../kernels/kernel.ts";
import type { KernelAttrs } from "../kernels/kernel-attrs.ts";
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

/** What was read of the input at a place; nothing where the graph has no such input. */
export function valuesAt(values: Values, index: number): readonly number[] {
  return values[index] ?? [];
}

/** The same elements in another shape: a view that borrows what it is made of. */
export function viewed(tensor: TensorInfo, shape: number[]): TensorInfo {
  return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
}

/** Same shape, element by element. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The dtype that TensorFlow.js computes a TensorFlow type in. Throws `unsupported` where there is none. */
export function computedType(type: string): DataType {
  const dtype = computedTypes[type];
  if (dtype === undefined) throw new InferenceError("unsupported", `no TensorFlow.js tensor holds ${type}`);
  return dtype;
}

const computedTypes: Readonly<Record<string, DataType>> = {
  DT_FLOAT: "float32",
  DT_HALF: "float32",
  DT_BFLOAT16: "float32",
  DT_DOUBLE: "float32",
  DT_INT8: "int32",
  DT_UINT8: "int32",
  DT_INT16: "int32",
  DT_UINT16: "int32",
  DT_INT32: "int32",
  DT_UINT32: "int32",
  DT_INT64: "int32",
  DT_UINT64: "int32",
  DT_BOOL: "bool",
  DT_STRING: "string",
  DT_COMPLEX64: "complex64",
  DT_COMPLEX128: "complex64",
};
