import { dtypes, InferenceError, type Tensor } from "@nearside/core";

/** The elements of an integer or float tensor, or of a bool one as 0 and 1. */
export function numbersOf(tensor: Tensor | undefined): readonly number[] {
  return Array.from((tensor?.data ?? []) as ArrayLike<number>, Number); // numbers: the op takes no others
}

/** The elements of a string tensor. */
export function textsOf(tensor: Tensor | undefined): readonly string[] {
  return (tensor?.data ?? []) as readonly string[]; // strings: the op takes no others
}

/** The only, or the first, element of an integer or float tensor. */
export function numberOf(tensor: Tensor | undefined): number {
  return Number(tensor?.data[0]);
}

export function int32Tensor(shape: readonly number[], values: readonly number[]): Tensor {
  return { dtype: "int32", shape, data: Int32Array.from(values) };
}

export function float32Tensor(shape: readonly number[], values: readonly number[]): Tensor {
  return { dtype: "float32", shape, data: Float32Array.from(values) };
}

export function boolTensor(shape: readonly number[], values: readonly boolean[]): Tensor {
  return { dtype: "bool", shape, data: Uint8Array.from(values, Number) };
}

export function stringTensor(shape: readonly number[], values: readonly string[]): Tensor {
  return { dtype: "string", shape, data: values };
}

/** A tensor of these numbers, of the dtype of `like`: float32 where there is none. */
export function numericTensor(like: Tensor | undefined, shape: readonly number[], values: readonly number[]): Tensor {
  const dtype = like === undefined || like.dtype === "string" ? "float32" : like.dtype;
  const array = dtypes[dtype].array as typeof Float32Array; // stands for every numeric array
  return { dtype, shape, data: array.from(values) } as Tensor; // the array of that dtype
}

/** A tensor of `shape` whose elements are those of `source` (same dtype), picked by their places; −1 picks `fill`. */
export function pick(source: Tensor, shape: readonly number[], places: ArrayLike<number>, fill?: Tensor): Tensor {
  const values = Array.from(places, (place) => (place < 0 ? (fill?.data[0] ?? 0) : source.data[place]));
  if (source.dtype === "string") return stringTensor(shape, values as string[]); // of a string tensor
  return numericTensor(source, shape, values as number[]); // of another
}

/** The number of elements in a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** An axis counted from the front. Throws `invalid-argument` for one that a tensor of that rank doesn't have. */
export function axisOf(op: string, axis: number, rank: number): number {
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw invalid(op, `axis ${axis} is outside [${-rank}, ${rank})`);
}

/** What a shape becomes when it is reduced along axes, counted from the front. */
export function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): readonly number[] {
  return shape.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));
}

/** An error for inputs that TensorFlow would refuse, too. */
export function invalid(op: string, message: string, cause?: unknown): InferenceError {
  return new InferenceError("invalid-argument", `op ${op}: ${message}`, { cause });
}
