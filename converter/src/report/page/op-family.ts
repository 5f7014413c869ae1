import { opOf } from "../../ops.ts";
import type { OutlineNode } from "../outline-graph.ts";

/** The kinds of boxes in a picture, and what its legend calls them. */
export const families = {
  fused: "fused: several ops in one kernel",
  filter: "convolution, matrix product",
  elementwise: "element by element",
  reduction: "pool, reduction, normalisation",
  layout: "shape, slices, joins",
  control: "loops, branches, tables",
  own: "Nearside's own kernel",
  end: "input, output, constant",
  scope: "several nodes of one scope",
} as const;

export type Family = keyof typeof families;

/** The kind of box that a node is. */
export function familyOf({ ops }: OutlineNode): Family {
  const [op = ""] = ops;
  if (ops.length > 1 || /^_?Fused(Conv2D|Depthwise|MatMul)/.test(op)) return "fused";
  const category = opOf(op)?.category ?? "";
  if (/^(Conv|Depthwise)|MatMul|Einsum$/.test(op)) return "filter";
  if (/^(ShapeN?|Size|Rank)$/.test(op)) return "layout";
  return byCategory[category] ?? "elementwise";
}

const byCategory: Readonly<Record<string, Family>> = {
  control: "control",
  convolution: "reduction", // what remains of it are pools
  creation: "layout",
  evaluation: "reduction",
  graph: "end",
  hash_table: "control",
  image: "layout",
  matrices: "layout", // transposes
  nearside: "own",
  normalization: "reduction",
  reduction: "reduction",
  slice_join: "layout",
  transformation: "layout",
};
