import { einsum, matMul, reshape, sum, type Tensor as TfjsTensor, transpose } from "@tensorflow/tfjs-core";
import { invalid } from "./plain-tensors.ts";

/**
 * Σ over the axes that the equation (`bij,bjk->bik`) doesn't return, as one batched matrix product where it is one:
 * two inputs, no axis named twice in one of them. TensorFlow.js multiplies whole outer products and adds them up, and
 * on wasm it has no such kernel at all. Equations of another kind are left to it.
 */
export function contract(op: string, equation: string, inputs: readonly TfjsTensor[]): TfjsTensor {
  const [terms = "", output] = equation.replaceAll(" ", "").split("->");
  const [left, right, ...more] = terms.split(",").map((labels) => [...labels]);
  checkSizes(op, equation, terms.split(","), inputs);
  const [a, b] = inputs;
  const isProduct = left && right && a && b && more.length === 0 && output !== undefined && a.dtype === "float32";
  if (!isProduct || hasTwice(left) || hasTwice(right)) return einsum(equation, ...inputs);
  return product({ tensor: a, labels: left }, { tensor: b, labels: right }, [...output]);
}

/** Throws `invalid-argument` for a letter that stands for several sizes. */
function checkSizes(op: string, equation: string, terms: readonly string[], inputs: readonly TfjsTensor[]): void {
  const sizes = new Map<string, number>();
  for (const [index, { shape }] of inputs.entries()) {
    const labels = terms[index] ?? "";
    const fits = shape.every((size, axis) => (sizes.get(labels[axis] ?? "") ?? size) === size);
    if (!fits || labels.length !== shape.length) {
      throw invalid(op, `expected sizes as in ${equation}, got [${shape}] for ${labels}`);
    }
    for (const [axis, size] of shape.entries()) sizes.set(labels[axis] ?? "", size);
  }
}

/** A tensor with a letter for each axis. */
interface Labelled {
  readonly tensor: TfjsTensor;
  readonly labels: readonly string[];
}

function product(first: Labelled, second: Labelled, output: readonly string[]): TfjsTensor {
  const a = sumOut(first, (label) => second.labels.includes(label) || output.includes(label));
  const b = sumOut(second, (label) => first.labels.includes(label) || output.includes(label));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => output.includes(label));
  const summed = shared.filter((label) => !output.includes(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const sizes = new Map(
    [a, b].flatMap(({ tensor, labels }) => labels.map((label, axis) => [label, tensor.shape[axis]])),
  );
  const shape = (labels: readonly string[]) => labels.map((label) => sizes.get(label) as number); // each is of a or b
  const count = (labels: readonly string[]) => shape(labels).reduce((product, size) => product * size, 1);
  const matrices = matMul(
    reshape(ordered(a, [...batch, ...rows, ...summed]), [count(batch), count(rows), count(summed)]),
    reshape(ordered(b, [...batch, ...summed, ...columns]), [count(batch), count(summed), count(columns)]),
  );
  const labels = [...batch, ...rows, ...columns];
  return ordered({ tensor: reshape(matrices, shape(labels)), labels }, output);
}

function sumOut({ tensor, labels }: Labelled, isKept: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, axis) => (isKept(label) ? [] : [axis]));
  return axes.length === 0 ? { tensor, labels } : { tensor: sum(tensor, axes), labels: labels.filter(isKept) };
}

function ordered({ tensor, labels }: Labelled, wanted: readonly string[]): TfjsTensor {
  const order = wanted.map((label) => labels.indexOf(label));
  return order.every((axis, index) => axis === index) ? tensor : transpose(tensor, order);
}

function hasTwice(labels: readonly string[]): boolean {
  return new Set(labels).size < labels.length;
}
