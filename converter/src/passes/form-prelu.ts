import { elementCount } from "@nearside/core";
import { compute } from "../graph/compute.ts";
import { constant } from "../graph/constant.ts";
import type { TensorRef, TensorValue } from "../graph/graph.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/** relu(x) + c·relu(−x) = prelu(x, −c), where c is one number per channel (which is all that every backend takes) */
export const formPrelu = rule((root, around) => {
  const [a, b] = root.inputs;
  if (root.op !== "Add" && root.op !== "AddV2") return undefined;
  const read = readPrelu(a, b, around) ?? readPrelu(b, a, around);
  const size = around.shapeOf(read?.x)?.at(-1);
  const negated = read && compute("Neg", read.c);
  if (read === undefined || negated === undefined || typeof size !== "number") return undefined;
  if (negated.shape.at(-1) !== size || elementCount(negated.shape) !== size) return undefined;
  const alpha = constant(around.freeName(`${root.name}/alpha`), { ...negated, shape: [size] });
  return [alpha, { ...root, op: "Prelu", inputs: [read.x, firstOutput(alpha)] }];
});

const op = (...names: readonly string[]): ReadonlySet<string> => new Set(names);
const [mul, relu, neg] = [op("Mul"), op("Relu"), op("Neg")];

/** x and c of relu(x) and c·relu(−x) */
function readPrelu(
  positive: TensorRef | undefined,
  negative: TensorRef | undefined,
  around: Surroundings,
): { x: TensorRef; c: TensorValue } | undefined {
  const [x] = around.only(positive, relu)?.inputs ?? [];
  const [left, right] = around.only(negative, mul)?.inputs ?? [];
  const c = around.constantOf(left) ?? around.constantOf(right);
  const [negated] = around.only(around.constantOf(left) === undefined ? left : right, relu)?.inputs ?? [];
  const [same] = around.only(negated, neg)?.inputs ?? [];
  const isSame = x !== undefined && same !== undefined && x.node === same.node && x.output === same.output;
  return isSame && c?.dtype === "DT_FLOAT" ? { x, c } : undefined;
}
