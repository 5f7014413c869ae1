import { elementCount } from "@nearside/core";
import { isChannelsLast, isTrue } from "./attr-values.ts";
import { compute } from "./compute.ts";
import type { Node, TensorValue } from "./graph.ts";
import { literal } from "./literal.ts";

/** The ops that multiply their first input by a filter, their second. Fused ones add and activate as well. */
export const filterOps: ReadonlySet<string> = new Set(["Conv2D", "DepthwiseConv2dNative", "MatMul"]);

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

/** The channels of a convolution of NHWC or a matrix product with a constant filter of float32. */
export function channelsOf(node: Node, filter: TensorValue | undefined): Channels | undefined {
  if (filter?.dtype !== "DT_FLOAT") return undefined;
  const [, , inChannels = 0, multiplier = 0] = filter.shape;
  if (node.op === "MatMul") {
    const isTransposed = isTrue(node, "transpose_b");
    const count = filter.shape[isTransposed ? 0 : 1];
    if (count === undefined || filter.shape.length !== 2) return undefined;
    return { count, rank: 2, overFilter: isTransposed ? [count, 1] : [count] };
  }
  if (filter.shape.length !== 4 || !isChannelsLast(node)) return undefined;
  if (node.op === "Conv2D") return { count: multiplier, rank: 4, overFilter: [multiplier] };
  // The output channel of a depthwise convolution is that of the input · multiplier + which of the multiplier.
  if (node.op === "DepthwiseConv2dNative") {
    return { count: inChannels * multiplier, rank: 4, overFilter: [inChannels, multiplier] };
  }
  return undefined;
}

/**
 * The value as a list of one number per channel, where adding it to what the op computes, or multiplying by it, means
 * that. A single number is repeated.
 */
export function perChannel(value: TensorValue, { count, rank }: Channels): TensorValue | undefined {
  if (value.dtype !== "DT_FLOAT" || value.shape.length > rank) return undefined;
  const elements = elementCount(value.shape);
  if (elements === count && (value.shape.at(-1) === count || count === 1)) return { ...value, shape: [count] };
  if (elements !== 1 || count > maxRepeated) return undefined;
  const zeros = literal("DT_FLOAT", [count], new Array<number>(count).fill(0));
  return zeros && compute("AddV2", { ...value, shape: [] }, zeros);
}

const maxRepeated = 4096;
