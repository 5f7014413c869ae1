import { constant } from "../graph/constant.ts";
import type { Attrs, Node } from "../graph/graph.ts";
import { literal } from "../graph/literal.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * erfc(x) = 1 − erf(x), and erfc(−x) = 1 + erf(x), with the erf that TensorFlow.js has. GELU is written with erfc by
 * TensorFlow 2.19 and later.
 */
export const replaceErfc = rule((root, around) => {
  if (root.op !== "Erfc") return undefined;
  const one = literal("DT_FLOAT", [], [1]);
  const attrs: Attrs = { T: { type: "DT_FLOAT" } };
  const { T } = root.attrs;
  const isFloat = T === undefined || ("type" in T && T.type === "DT_FLOAT");
  if (!isFloat || one === undefined) return undefined;
  const ones = constant(around.freeName(`${root.name}/one`), one);
  const positive = withoutSign(root, around);
  const inputs = positive === undefined ? root.inputs : [firstOutput(positive)];
  const erf: Node = { ...root, name: around.freeName(`${root.name}/Erf`), op: "Erf", inputs, attrs };
  const op = positive === undefined ? "Sub" : "AddV2";
  const sum: Node = { ...root, op, inputs: [firstOutput(ones), firstOutput(erf)], attrs };
  return [...(positive === undefined ? [] : [positive]), erf, ones, sum];
});

/** x·c of an erfc((−x)·c) */
function withoutSign(root: Node, { only, freeName }: Surroundings): Node | undefined {
  const product = only(root.inputs[0], products);
  const at = product?.inputs.findIndex((input) => only(input, negations) !== undefined) ?? -1;
  const [x] = only(product?.inputs[at], negations)?.inputs ?? [];
  if (product === undefined || x === undefined) return undefined;
  return { ...product, name: freeName(`${product.name}/positive`), inputs: product.inputs.with(at, x) };
}

const products: ReadonlySet<string> = new Set(["Mul"]);
const negations: ReadonlySet<string> = new Set(["Neg"]);
