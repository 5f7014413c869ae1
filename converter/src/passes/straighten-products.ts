import { elementCount } from "@nearside/core";
import { isTrue, textAttr } from "../graph/attr-values.ts";
import { transposeValue } from "../graph/compute.ts";
import { constant } from "../graph/constant.ts";
import { isSharedFilter } from "../graph/filtered.ts";
import type { Attrs, Node, Shape, TensorRef, TensorValue } from "../graph/graph.ts";
import { int32List } from "../graph/literal.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * Products with a constant matrix become those that a bias and an activation can be fused into:
 *
 *     batchMatMul(x, w) = reshape(reshape(x, [−1, k]) · w), one product for the whole batch
 *     einsum("abc,cde→abde", x, w), which sums over the last axes of x and the first of w, is such a product, too
 *     x · wᵀ = x · (the transpose of w)
 */
export const straightenProducts = rule((root, around) => {
  if (root.op === "MatMul") return transposeWeights(root, around);
  if (root.op !== "Einsum" && !batchOps.has(root.op)) return undefined;
  const [x, matrix] = root.inputs;
  const value = around.constantOf(matrix);
  const shape = around.shapeOf(x);
  if (x === undefined || shape === null || value?.dtype !== "DT_FLOAT") return undefined;
  const sizes = batchOps.has(root.op) ? batchSizes(root, shape, value) : einsumSizes(root, shape, value);
  if (sizes === undefined || sizes.outer.filter((size) => size === null).length > 1) return undefined;
  if (sizes.inner === 0 || sizes.outer.includes(0)) return undefined; // which a −1 could stand for, too
  if (value.shape.length !== 2 && isSharedFilter(root, around)) return undefined;
  return productOf(root, x, value, sizes, around);
});

function transposeWeights(root: Node, around: Surroundings): readonly Node[] | undefined {
  const [x, matrix] = root.inputs;
  const value = around.constantOf(matrix);
  if (!isTrue(root, "transpose_b") || x === undefined || value?.shape.length !== 2) return undefined;
  const transposed = isSharedFilter(root, around) ? undefined : transposeValue(value, [1, 0]);
  if (transposed === undefined) return undefined;
  const weights = constant(around.freeName(`${root.name}/transposed`), transposed);
  return [weights, { ...root, inputs: [x, firstOutput(weights)], attrs: { ...root.attrs, transpose_b: { b: false } } }];
}

const batchOps: ReadonlySet<string> = new Set(["BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"]);

/** The sizes of reshape(reshape(x, [−1, inner]) · reshape(w, matrix), outer) */
interface Sizes {
  readonly inner: number;
  readonly matrix: readonly [number, number];
  readonly isTransposed: boolean;
  readonly outer: Shape & {};
}

function batchSizes(root: Node, shape: Shape & {}, { shape: matrix }: TensorValue): Sizes | undefined {
  const [rows, columns] = matrix.slice(-2);
  if (isTrue(root, "adj_x") || rows === undefined || columns === undefined) return undefined;
  const isOneMatrix = elementCount(matrix) === rows * columns && matrix.length <= Math.max(2, shape.length);
  const isTransposed = isTrue(root, "adj_y");
  const [inner, last] = isTransposed ? [columns, rows] : [rows, columns];
  return isOneMatrix
    ? { inner, matrix: [rows, columns], isTransposed, outer: [...shape.slice(0, -1), last] }
    : undefined;
}

function einsumSizes(root: Node, shape: Shape & {}, { shape: matrix }: TensorValue): Sizes | undefined {
  const equation = textAttr(root, "equation").replaceAll(" ", "");
  const [, left = "", right = "", result = ""] = /^([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)$/.exec(equation) ?? [];
  const summed = [...right].findIndex((letter) => !left.includes(letter));
  const [inner, last] = summed < 0 ? ["", ""] : [right.slice(0, summed), right.slice(summed)];
  const kept = left.slice(0, left.length - inner.length);
  const isProduct = inner !== "" && left === kept + inner && result === kept + last;
  const isDistinct = new Set(left + last).size === left.length + last.length;
  if (!isProduct || !isDistinct || left.length !== shape.length || right.length !== matrix.length) return undefined;
  const [rows, columns] = [elementCount(matrix.slice(0, summed)), elementCount(matrix.slice(summed))];
  const outer = [...shape.slice(0, kept.length), ...matrix.slice(summed)];
  return { inner: rows, matrix: [rows, columns], isTransposed: false, outer };
}

function productOf(
  root: Node,
  x: TensorRef,
  value: TensorValue,
  { inner, matrix, isTransposed, outer }: Sizes,
  { freeName }: Surroundings,
): readonly Node[] | undefined {
  const type = { type: "DT_FLOAT" } as const;
  const attrs: Attrs = { T: type, transpose_a: { b: false }, transpose_b: { b: isTransposed } };
  const reshape: Attrs = { T: type, Tshape: { type: "DT_INT32" } };
  const weights = constant(freeName(`${root.name}/matrix`), { ...value, shape: matrix });
  const rowsShape = constant(freeName(`${root.name}/rows/shape`), int32List([-1, inner]));
  const outerShape = constant(freeName(`${root.name}/shape`), int32List(outer.map((size) => size ?? -1)));
  const node = (name: string, op: string, inputs: readonly Node[], attrs: Attrs): Node => {
    return { name, op, inputs: inputs.map(firstOutput), controls: [], attrs };
  };
  const rows = { ...node(freeName(`${root.name}/rows`), "Reshape", [], reshape), inputs: [x, firstOutput(rowsShape)] };
  const product = node(freeName(`${root.name}/product`), "MatMul", [rows, weights], attrs);
  return [weights, rowsShape, rows, product, outerShape, node(root.name, "Reshape", [product, outerShape], reshape)];
}
