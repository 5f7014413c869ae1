import { isTrue } from "../graph/attr-values.ts";
import type { Node } from "../graph/graph.ts";

/** A node as far as it tells which channels its weight has. */
export interface WeightUse {
  readonly op: string;
  /** The name of its second input. */
  readonly weight: string;
  readonly isTransposed: boolean;
}

/** The axes of the channels of each weight that an op multiplies by, from the last: one that isn't here has axis −1. */
export type ChannelAxes = ReadonlyMap<string, readonly number[]>;

/** What of a filter's axes has the channels of what is computed, where that isn't the last one. */
const depthwiseOps: ReadonlySet<string> = new Set(["DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"]);

/** The axes of the channels by the nodes that take the weights: quantised each on its own, they err least. */
export function findChannelAxes(uses: Iterable<WeightUse>): ChannelAxes {
  const axes = new Map<string, readonly number[]>();
  for (const { op, weight, isTransposed } of uses) {
    if (depthwiseOps.has(op)) axes.set(weight, [-2, -1]);
    if (isTransposed || op === "Conv2DBackpropInput") axes.set(weight, [-2]);
  }
  return axes;
}

/** What a node of a graph tells of its weight. */
export function weightUse(node: Node): WeightUse {
  const isTransposed = isTrue(node, "transpose_b") || isTrue(node, "adj_y");
  return { op: node.op, weight: node.inputs[1]?.node ?? "", isTransposed };
}
