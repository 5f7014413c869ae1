import type { Node, Shape, TensorRef } from "../graph/graph.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * f(reshape(x), reshape(y)) = reshape(f(x, y)), where f works on each number: what lies between two matrix products, such
 * as GELU between Dense layers over a sequence, then has one reshape behind it, which goes with the next.
 */
export const sinkReshapes = rule((root, around) => {
  if (!elementwiseOps.has(root.op)) return undefined;
  const reshapes = root.inputs.map((input) => reshapeOf(input, around));
  const [first] = reshapes.filter((node) => node !== undefined);
  const [source, target] = first?.inputs ?? [];
  if (first === undefined || source === undefined || target === undefined) return undefined;
  const inputs = root.inputs.map((input, index) => {
    const reshape = reshapes[index];
    if (reshape === undefined) return around.constantOf(input)?.shape.length === 0 ? input : undefined;
    return isAlike(reshape, first, around) ? reshape.inputs[0] : undefined;
  });
  if (!inputs.every((input) => input !== undefined)) return undefined;
  const moved: Node = { ...root, name: around.freeName(`${root.name}/flat`), inputs };
  return [moved, { ...first, name: root.name, inputs: [firstOutput(moved), target] }];
});

const elementwiseOps: ReadonlySet<string> = new Set(
  (
    "Abs Add AddV2 Elu Erf Exp LeakyRelu Maximum Minimum Mul Neg RealDiv Relu Relu6 Rsqrt Selu Sigmoid Softplus Sqrt " +
    "Square Sub Tanh"
  ).split(" "),
);

function reshapeOf(input: TensorRef, { nodeOf }: Surroundings): Node | undefined {
  const node = nodeOf(input);
  return node?.op === "Reshape" && node.controls.length === 0 ? node : undefined;
}

/** Whether two reshapes are from the same shape to the same. */
function isAlike(a: Node, b: Node, { shapeOf }: Surroundings): boolean {
  if (a.name === b.name) return true;
  return isSame(shapeOf(a.inputs[0]), shapeOf(b.inputs[0])) && isSame(shapeOf(firstOutput(a)), shapeOf(firstOutput(b)));
}

/** Equal shapes, all of whose sizes but the first are known, which is the batch's then. */
function isSame(a: Shape, b: Shape): boolean {
  const isEqual = a !== null && a.length === b?.length && a.every((size, axis) => size === b[axis]);
  return isEqual && !a.slice(1).includes(null);
}
