import { elementCount } from "@nearside/core";
import { isChannelsLast, isTrue, textAttr } from "./attr-values.ts";
import { compute } from "./compute.ts";
import type { Node, TensorValue } from "./graph.ts";
import { literal } from "./literal.ts";

/** The ops that multiply their first input by a filter, their second, and that TensorFlow.js can make do more. */
export const fusableOps: ReadonlySet<string> = new Set(["Conv2D", "DepthwiseConv2dNative", "MatMul"]);

/** The ops whose second input is a filter. */
export const filterOps: ReadonlySet<string> = new Set([...fusableOps, "Conv2DBackpropInput", "Conv3D"]);

/** The activations that TensorFlow.js fuses on every backend; Prelu, which has an input of its own, is another. */
export const activationOps: ReadonlySet<string> = new Set(["Elu", "LeakyRelu", "Relu", "Relu6", "Sigmoid"]);

/** How a filter's elements meet the channels, the last axis, of what its op computes. */
export interface Channels {
  readonly count: number;
  /** The rank of what the op computes. */
  readonly rank: number;
  /** The shape in which a value per channel is broadcast over the filter. */
  readonly overFilter: readonly number[];
}

/** How a filter's elements meet the channels of what its op takes. */
export interface InputChannels extends Channels {
  /** The axes of the filter over which the op sums what it multiplies. */
  readonly summed: readonly number[];
}

/** The channels of a convolution with the channels last, or of a matrix product, with a constant filter of float32. */
export function channelsOf(node: Node, filter: TensorValue | undefined): Channels | undefined {
  if (filter?.dtype !== "DT_FLOAT" || !isWellFormed(node, filter)) return undefined;
  const rank = filter.shape.length;
  const [first = 0, , third = 0, fourth = 0] = filter.shape;
  if (node.op === "MatMul" && isTrue(node, "transpose_b")) return { count: first, rank, overFilter: [first, 1] };
  // A transposed convolution's filter has its axes the other way round.
  if (node.op === "Conv2DBackpropInput") return { count: third, rank, overFilter: [third, 1] };
  // The output channel of a depthwise convolution is that of the input · multiplier + which of the multiplier.
  if (node.op === "DepthwiseConv2dNative") return { count: third * fourth, rank, overFilter: [third, fourth] };
  const count = filter.shape.at(-1) ?? 0;
  return { count, rank, overFilter: [count] };
}

/** The same for what the op takes. */
export function inputChannelsOf(node: Node, filter: TensorValue | undefined): InputChannels | undefined {
  if (filter?.dtype !== "DT_FLOAT" || !isWellFormed(node, filter)) return undefined;
  const rank = filter.shape.length;
  if (node.op === "Conv2DBackpropInput" || isTrue(node, "transpose_a")) return undefined;
  if (node.op === "MatMul" && isTrue(node, "transpose_b")) {
    const count = filter.shape[1] ?? 0;
    return { count, rank, overFilter: [count], summed: [1] };
  }
  const count = filter.shape.at(-2) ?? 0;
  const summed = filter.shape.map((_, axis) => axis).slice(0, node.op === "DepthwiseConv2dNative" ? -2 : -1);
  return { count, rank, overFilter: [count, 1], summed };
}

/** Whether the op puts zeros around what it takes, or may do so. */
export function isPadded(node: Node, filter: TensorValue): boolean {
  const padding = textAttr(node, "padding");
  const isPoint = filter.shape.slice(0, -2).every((size) => size === 1);
  return node.op !== "MatMul" && padding !== "VALID" && !(padding === "SAME" && isPoint);
}

const ranks: Readonly<Record<string, number>> = {
  Conv2D: 4,
  Conv2DBackpropInput: 4,
  Conv3D: 5,
  DepthwiseConv2dNative: 4,
  MatMul: 2,
};

function isWellFormed(node: Node, filter: TensorValue): boolean {
  return filter.shape.length === ranks[node.op] && isChannelsLast(node);
}

/**
 * The value as a list of one number per channel, where adding it to what the op computes, or multiplying by it, means
 * that. A single number is repeated.
 */
export function perChannel(
  value: TensorValue,
  { count, rank }: Pick<Channels, "count" | "rank">,
): TensorValue | undefined {
  if (value.dtype !== "DT_FLOAT" || value.shape.length > rank) return undefined;
  const elements = elementCount(value.shape);
  if (elements === count && (value.shape.at(-1) === count || count === 1)) return { ...value, shape: [count] };
  return elements === 1 ? repeated({ ...value, shape: [] }, count) : undefined;
}

/** A list of `count` times the single element of a value. */
function repeated(value: TensorValue, count: number): TensorValue | undefined {
  const zeros = count > maxRepeated ? undefined : literal("DT_FLOAT", [count], new Array<number>(count).fill(0));
  return zeros && compute("AddV2", value, zeros);
}

const maxRepeated = 4096;
