import type { Attr, Attrs, Node } from "../graph/graph.ts";
import { firstOutput, rule } from "../graph/rule.ts";

/** exp(a + bi) = exp(a)·cos(b) + exp(a)·sin(b)·i: TensorFlow.js has the exponential of real numbers only. */
export const replaceComplexExp = rule((root, { freeName }) => {
  const { T } = root.attrs;
  if (root.op !== "Exp" || T === undefined || !("type" in T) || T.type !== "DT_COMPLEX64") return undefined;
  const float: Attr = { type: "DT_FLOAT" };
  const part = (op: string, of: readonly Node[], attrs: Attrs = { T: float }): Node => ({
    name: freeName(`${root.name}/${op}_of_${of.map(({ op }) => op).join("_")}`),
    op,
    inputs: of.map(firstOutput),
    controls: [],
    attrs,
  });
  const half = (op: string): Node => ({ ...part(op, [], { T, Tout: float }), inputs: root.inputs });
  const [a, b] = [half("Real"), half("Imag")];
  const [length, cosine, sine] = [part("Exp", [a]), part("Cos", [b]), part("Sin", [b])];
  const [real, imaginary] = [part("Mul", [length, cosine]), part("Mul", [length, sine])];
  const joined = { ...part("Complex", [real, imaginary], { T: float, Tout: T }), name: root.name };
  return [a, b, length, cosine, sine, real, imaginary, joined];
});
