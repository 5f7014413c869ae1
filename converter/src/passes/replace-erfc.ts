import { constant } from "../graph/constant.ts";
import type { Attrs, Node } from "../graph/graph.ts";
import { literal } from "../graph/literal.ts";
import { firstOutput, rule } from "../graph/rule.ts";

/** erfc(x) = 1 − erf(x), which TensorFlow.js has. GELU is written with erfc by TensorFlow 2.19 and later. */
export const replaceErfc = rule((root, { freeName }) => {
  const one = literal("DT_FLOAT", [], [1]);
  const attrs: Attrs = { T: { type: "DT_FLOAT" } };
  const { T } = root.attrs;
  const isFloat = T === undefined || ("type" in T && T.type === "DT_FLOAT");
  if (root.op !== "Erfc" || !isFloat || one === undefined) return undefined;
  const erf: Node = { ...root, name: freeName(`${root.name}/Erf`), op: "Erf", attrs };
  const ones = constant(freeName(`${root.name}/one`), one);
  return [erf, ones, { ...root, op: "Sub", inputs: [firstOutput(ones), firstOutput(erf)], attrs }];
});
