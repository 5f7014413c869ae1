import { compute, smallNumbers } from "../graph/compute.ts";
import { constant } from "../graph/constant.ts";
import type { Node, Pass, TensorRef, TensorValue } from "../graph/graph.ts";
import { firstOutput, type Rule, rule, type Surroundings } from "../graph/rule.ts";

/**
 * Moves the numbers in a product behind it, where they can be folded into the filter that follows:
 *
 *     (x·k)·y = (x·y)·k
 *     x·(1 + erf(x·c)) = (u·(1 + erf(u))) / c, where u = x·c can be folded into the filter before: two of GELU's products
 */
export const sinkScales: Pass = (graph) => rule(scaleErf)(rule(sinkFactor)(graph));

const sinkFactor: Rule = (root, around) => {
  if (root.op !== "Mul") return undefined;
  for (const at of [0, 1]) {
    const product = around.only(root.inputs[at], mul);
    const place = product?.inputs.findIndex((input) => isNumber(around.constantOf(input))) ?? -1;
    const [x, y, k] = [product?.inputs[1 - place], root.inputs[1 - at], product?.inputs[place]];
    if (place < 0 || x === undefined || y === undefined || k === undefined) continue;
    // Scaling the smaller of the two, such as a gate per channel, takes less.
    if (around.constantOf(y) !== undefined || !isSameShape(x, y, around)) continue;
    const moved: Node = { ...root, name: around.freeName(`${root.name}/unscaled`), inputs: [x, y] };
    return [moved, { ...root, inputs: [firstOutput(moved), k] }];
  }
  return undefined;
};

const scaleErf: Rule = (root, around) => {
  if (root.op !== "Mul") return undefined;
  for (const at of [0, 1]) {
    const [x, gate] = [root.inputs[at], root.inputs[1 - at]];
    const read = readGate(gate, around);
    if (x === undefined || read === undefined || read.x.node !== x.node || read.x.output !== x.output) continue;
    const inverse = compute("Reciprocal", read.c);
    if (gate === undefined || inverse === undefined || around.usesOf(x.node) !== 2) continue;
    const factor = constant(around.freeName(`${root.name}/inverse`), inverse);
    const product: Node = { ...root, name: around.freeName(`${root.name}/unscaled`), inputs: [read.scaled, gate] };
    return [product, factor, { ...root, inputs: [firstOutput(product), firstOutput(factor)] }];
  }
  return undefined;
};

const op = (...names: readonly string[]): ReadonlySet<string> => new Set(names);
const [mul, add, erf] = [op("Mul"), op("Add", "AddV2"), op("Erf")];

/** x, c and the tensor x·c of 1 + erf(x·c) */
function readGate(gate: TensorRef | undefined, around: Surroundings) {
  const sum = around.only(gate, add);
  const at = sum?.inputs.findIndex((input) => isNumber(around.constantOf(input), 1)) ?? -1;
  const [scaled] = (at < 0 ? undefined : around.only(sum?.inputs[1 - at], erf))?.inputs ?? [];
  const product = around.only(scaled, mul);
  const place = product?.inputs.findIndex((input) => isNumber(around.constantOf(input))) ?? -1;
  const [x, c] = [product?.inputs[1 - place], around.constantOf(product?.inputs[place])];
  return scaled && x && c && place >= 0 ? { x, c, scaled } : undefined;
}

/** Whether a value is a single float32 other than 0, or the one given. */
function isNumber(value: TensorValue | undefined, number?: number): boolean {
  const numbers = value?.dtype === "DT_FLOAT" && value.shape.length === 0 ? smallNumbers(value) : undefined;
  return numbers !== undefined && numbers[0] !== 0 && (number === undefined || numbers[0] === number);
}

function isSameShape(x: TensorRef, y: TensorRef, { shapeOf }: Surroundings): boolean {
  const [left, right] = [shapeOf(x), shapeOf(y)];
  return left !== null && left.length === right?.length && left.every((size, axis) => size === right[axis]);
}
