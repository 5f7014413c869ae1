import { elementCount } from "@nearside/core";
import { constant } from "./constant.ts";
import type { Node, TensorValue } from "./graph.ts";
import { firstOutput, type Surroundings } from "./rule.ts";

/** The nodes of `node` with another filter and a bias, under the root's name. */
export function withFilter(
  root: Node,
  node: Node,
  filter: TensorValue,
  bias: TensorValue | undefined,
  { constantOf, freeName }: Surroundings,
): readonly Node[] {
  const [x, oldFilter, ...rest] = node.inputs;
  if (x === undefined || oldFilter === undefined) return [root];
  const isSame = constantOf(oldFilter) === filter;
  const weights = constant(freeName(`${root.name}/filter`), filter);
  const inputs = [x, isSame ? oldFilter : firstOutput(weights), ...rest];
  const constants = isSame ? [] : [weights];
  if (bias === undefined) return [...constants, { ...node, name: root.name, inputs }];
  const offset = constant(freeName(`${root.name}/bias`), bias);
  const name = node.name === root.name ? freeName(`${root.name}/unbiased`) : node.name;
  const filtered = { ...node, name, inputs };
  const attrs = { T: { type: bias.dtype }, data_format: { s: new TextEncoder().encode("NHWC") } };
  const added: Node = { ...root, op: "BiasAdd", inputs: [firstOutput(filtered), firstOutput(offset)], attrs };
  return [...constants, filtered, offset, added];
}

/** Whether another filter made of this one would be stored beside it, and is large enough to matter. */
export function isSharedFilter(node: Node, { constantOf, usesOf }: Surroundings): boolean {
  const filter = node.inputs[1];
  const value = constantOf(filter);
  return filter !== undefined && value !== undefined && usesOf(filter.node) > 1 && elementCount(value.shape) > 4096;
}
