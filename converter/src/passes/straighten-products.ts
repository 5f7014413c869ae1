import { elementCount } from "@nearside/core";
import { isTrue } from "../graph/attr-values.ts";
import { transposeValue } from "../graph/compute.ts";
import { constant } from "../graph/constant.ts";
import { isSharedFilter } from "../graph/filtered.ts";
import type { Attrs, Node } from "../graph/graph.ts";
import { int32List } from "../graph/literal.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * Products with a constant matrix become those that a bias and an activation can be fused into:
 *
 *     batchMatMul(x, w) = reshape(reshape(x, [−1, k]) · w), one product for the whole batch
 *     x · wᵀ = x · (the transpose of w)
 */
export const straightenProducts = rule((root, around) =>
  root.op === "MatMul" ? transposeWeights(root, around) : flattenBatch(root, around),
);

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

function flattenBatch(root: Node, around: Surroundings): readonly Node[] | undefined {
  const [x, matrix] = root.inputs;
  const value = around.constantOf(matrix);
  const shape = around.shapeOf(x);
  if (!batchOps.has(root.op) || isTrue(root, "adj_x") || x === undefined || value?.dtype !== "DT_FLOAT") {
    return undefined;
  }
  const [rows, columns] = value.shape.slice(-2);
  if (shape === null || rows === undefined || columns === undefined) return undefined;
  const isOneMatrix = elementCount(value.shape) === rows * columns && value.shape.length <= Math.max(2, shape.length);
  const [inner, outer] = isTrue(root, "adj_y") ? [columns, rows] : [rows, columns];
  const leading = shape.slice(0, -1);
  if (!isOneMatrix || leading.filter((size) => size === null).length > 1 || leading.includes(0)) return undefined;
  const type = { type: "DT_FLOAT" } as const;
  const attrs: Attrs = { T: type, transpose_a: { b: false }, transpose_b: { b: isTrue(root, "adj_y") } };
  const weights = constant(around.freeName(`${root.name}/matrix`), { ...value, shape: [rows, columns] });
  const isSame = value.shape.length === 2 && matrix !== undefined;
  const given = isSame ? [] : [weights];
  const w = isSame ? matrix : firstOutput(weights);
  if (shape.length === 2) return [...given, { ...root, op: "MatMul", inputs: [x, w], attrs }];
  const rowsShape = constant(around.freeName(`${root.name}/rows/shape`), int32List([-1, inner]));
  const outShape = int32List([...leading.map((size) => size ?? -1), outer]);
  const batchShape = constant(around.freeName(`${root.name}/shape`), outShape);
  const reshape: Attrs = { T: type, Tshape: { type: "DT_INT32" } };
  const flat = { ...root, name: around.freeName(`${root.name}/rows`), op: "Reshape", attrs: reshape };
  const product = { ...root, name: around.freeName(`${root.name}/product`), op: "MatMul", attrs };
  return [
    ...given,
    rowsShape,
    { ...flat, inputs: [x, firstOutput(rowsShape)] },
    { ...product, inputs: [firstOutput(flat), w] },
    batchShape,
    { ...root, op: "Reshape", inputs: [firstOutput(product), firstOutput(batchShape)], attrs: reshape },
  ];
}
