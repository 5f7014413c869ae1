import { type DType, dataLength, type Tensor, type Tensors } from "@nearside/core";

/**
 * The rows of several tensors by name, one after the other, filled up to `rows` with copies of the first. Where rows
 * have different shapes, each is filled up to the largest with its tensor's first element, as TensorFlow Serving does.
 */
export function joinRows(parts: readonly Tensors[], rows: number): Tensors {
  const names = Object.keys(parts[0] ?? {}); // all have the same
  const join = (name: string) => joinTensors(parts.map((part) => part[name]) as [Tensor], rows);
  return Object.fromEntries(names.map((name) => [name, join(name)]));
}

/** Parts of these numbers of rows of tensors by name; undefined unless each tensor has `rows` rows, of which the last may stay unused. */
export function splitRows(tensors: Tensors, counts: readonly number[], rows: number): Tensors[] | undefined {
  if (!Object.values(tensors).every(({ shape }) => shape[0] === rows)) return undefined;
  let start = 0;
  return counts.map((count) => {
    const part = Object.entries(tensors).map(([name, tensor]) => [name, sliceRows(tensor, start, count)]);
    start += count;
    return Object.fromEntries(part);
  });
}

/** A copy of rows of a tensor: a view would keep the whole batch in memory, and be sent with all of it. */
function sliceRows({ dtype, shape, data }: Tensor, start: number, count: number): Tensor {
  const rowShape = shape.slice(1);
  const step = dataLength(dtype, rowShape);
  const part = data.slice(start * step, (start + count) * step) as Tensor["data"]; // the same kind of array
  return { dtype, shape: [count, ...rowShape], data: part };
}

function joinTensors(tensors: readonly [Tensor, ...Tensor[]], rows: number): Tensor {
  const [{ dtype, shape }] = tensors;
  const rowShape = shape.slice(1).map((_, axis) => Math.max(...tensors.map((each) => each.shape[axis + 1] as number)));
  const step = dataLength(dtype, rowShape);
  const data = newArray(tensors[0], rows * step);
  let end = 0;
  for (const tensor of tensors) {
    const count = tensor.shape[0] as number; // a batch's tensor has a first dimension
    const isSmaller = rowShape.some((size, axis) => size !== tensor.shape[axis + 1]);
    if (isSmaller && tensor.data.length > 0) fill(data, tensor.data, end, end + count * step);
    copyBlock(
      dtype,
      { array: tensor.data, shape: tensor.shape, at: 0 },
      { array: data, shape: [count, ...rowShape], at: end },
    );
    end += count * step;
  }
  for (; step > 0 && end < data.length; end += step) copyElements(data, 0, step, data, end);
  return { dtype, shape: [rows, ...rowShape], data } as Tensor; // made of the array of its dtype
}

interface Block {
  readonly array: Tensor["data"];
  readonly shape: readonly number[];
  /** Where in the array it begins. */
  readonly at: number;
}

/** Copies a block into the first corner of another, which may be larger. */
function copyBlock(dtype: DType, from: Block, to: Block): void {
  const [fromStep, toStep] = [from, to].map(({ shape }) => dataLength(dtype, shape.slice(1))) as [number, number];
  const isInOnePiece = from.shape.every((size, axis) => axis === 0 || size === to.shape[axis]);
  if (isInOnePiece) {
    copyElements(from.array, from.at, dataLength(dtype, from.shape), to.array, to.at);
    return;
  }
  for (let index = 0; index < (from.shape[0] as number); index++) {
    copyBlock(
      dtype,
      { ...from, shape: from.shape.slice(1), at: from.at + index * fromStep },
      { ...to, shape: to.shape.slice(1), at: to.at + index * toStep },
    );
  }
}

function copyElements(from: Tensor["data"], start: number, count: number, to: Tensor["data"], at: number): void {
  if (isNumeric(from))
    (to as Float32Array).set(from.subarray(start, start + count), at); // both are of one kind
  else for (let index = 0; index < count; index++) (to as string[])[at + index] = from[start + index] as string;
}

function fill(array: Tensor["data"], source: Tensor["data"], start: number, end: number): void {
  (array as unknown[] as { fill(value: unknown, start: number, end: number): void }).fill(source[0], start, end);
}

function newArray({ data }: Tensor, length: number): Tensor["data"] {
  if (!isNumeric(data)) return new Array<string>(length).fill("");
  return new (data.constructor as Float32ArrayConstructor)(length); // of its kind
}

/** Float32Array stands for all arrays of numbers. */
function isNumeric(data: Tensor["data"]): data is Float32Array<ArrayBuffer> {
  return !Array.isArray(data);
}
