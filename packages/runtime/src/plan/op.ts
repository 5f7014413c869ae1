import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Kernel, Values } from "../kernels/kernel.ts";
import type { KernelAttrs } from "../kernels/kernel-attrs.ts";
import type { Device } from "./device.ts";
import type { Value } from "./value.ts";

/** One kernel of TensorFlow.js, or a few, called without its engine: what is hot. */
export interface DirectOp {
  /** Inputs whose elements it must know, by place; −1 is the last. */
  readonly reads?: readonly number[];
  /** Looks up kernels and attributes once. What it returns borrows its inputs and gives away its outputs. */
  bind(attrs: KernelAttrs, device: Device): RunDirect;
}

export type RunDirect = (inputs: readonly TensorInfo[], values: Values) => TensorInfo | readonly TensorInfo[];

/** An op on lists, arrays of tensors or tables, or one whose outputs are its inputs. */
export interface ValueOp {
  readonly reads?: readonly number[];
  /** Borrows its inputs and gives away its outputs. */
  run(inputs: readonly Value[], attrs: KernelAttrs, values: Values, device: Device): Outputs | Promise<Outputs>;
}

type Outputs = Value | readonly Value[];

/** How an op of a graph is run. */
export type Op = DirectOp | ValueOp | Kernel;

/** Ops by their TensorFlow names. */
export type Ops = Readonly<Record<string, Op>>;
