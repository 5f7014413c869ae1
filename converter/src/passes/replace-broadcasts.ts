import { constant } from "../graph/constant.ts";
import type { Attr, Node } from "../graph/graph.ts";
import { literal } from "../graph/literal.ts";
import { firstOutput, rule } from "../graph/rule.ts";

/**
 * BroadcastTo(x, shape) = x · Fill(shape, 1), for numbers and a shape that isn't known: of a dimension that turns out to
 * be 0, as in an empty batch, TensorFlow.js's BroadcastTo makes 1.
 */
export const replaceBroadcasts = rule((root, { constantOf, freeName }) => {
  if (root.op !== "BroadcastTo") return undefined;
  const [x, shape] = root.inputs;
  const { T, Tidx } = root.attrs;
  const isNumber = T !== undefined && "type" in T && (T.type === "DT_FLOAT" || T.type === "DT_INT32");
  if (!isNumber || !x || !shape || constantOf(shape) !== undefined) return undefined;
  const value = literal(T.type, [], [1]);
  if (value === undefined) return undefined;
  const one = constant(freeName(`${root.name}/one`), value);
  const index_type: Attr = Tidx ?? { type: "DT_INT32" };
  const ones: Node = {
    name: freeName(`${root.name}/ones`),
    op: "Fill",
    inputs: [shape, firstOutput(one)],
    controls: [],
    attrs: { T, index_type },
  };
  return [one, ones, { ...root, op: "Mul", inputs: [x, firstOutput(ones)], attrs: { T } }];
});
