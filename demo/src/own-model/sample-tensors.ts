import type { DataOf, DType, Tensor, TensorSpec } from "nearside";

/** What inputs are filled with before a person gives others. */
export type Filling = "zeros" | "random";

/** A tensor that fits a spec, free dimensions being 1: zeros, or random numbers (below 1; whole ones below 10). */
export function sampleTensor({ dtype, shape }: TensorSpec, filling: Filling): Tensor {
  const sizes = (shape ?? []).map((size) => size ?? 1);
  const count = sizes.reduce((product, size) => product * size, 1) * (dtype === "complex64" ? 2 : 1);
  const scale = dtype.startsWith("float") || dtype === "complex64" ? 1 : dtype === "bool" ? 2 : 10;
  const values = Array.from({ length: count }, () => (filling === "zeros" ? 0 : Math.random() * scale));
  return { dtype, shape: sizes, data: toData(dtype, dtype === "string" ? values.map(() => "") : values) };
}

/** The tensor that a person wrote as nested JSON lists: `[[1, 2]]` is float32 [1,2]. */
export function parseTensor(text: string, { dtype }: TensorSpec): Tensor {
  const value: unknown = JSON.parse(text);
  const shape: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  const elements = [value].flat(Number.POSITIVE_INFINITY);
  const isRight = (element: unknown) =>
    dtype === "string" ? typeof element === "string" : ["number", "boolean"].includes(typeof element);
  const wrong = elements.find((element) => !isRight(element));
  if (wrong !== undefined) throw new TypeError(`expected ${dtype} values, got ${JSON.stringify(wrong)}`);
  return { dtype, shape, data: toData(dtype, elements as (string | number)[]) }; // checked above
}

/** The first elements of a tensor's data, for a person to read. */
export function formatElements({ dtype, data }: Tensor, limit: number): string {
  const shown = Array.from(data as ArrayLike<string | number | bigint>).slice(0, limit);
  const texts = shown.map((element) => (typeof element === "string" ? JSON.stringify(element) : formatNumber(element)));
  const rest = data.length - shown.length;
  return texts.join(", ") + (rest > 0 ? `, … ${rest} more` : "") + (dtype === "complex64" ? " (re, im)" : "");
}

/** A tensor as nested JSON lists, which {@link parseTensor} reads. */
export function formatNested({ shape, data }: Tensor): string {
  const elements = Array.from(data as ArrayLike<string | number | bigint>).values();
  const nest = ([size, ...rest]: readonly number[]): unknown => {
    if (size !== undefined) return Array.from({ length: size }, () => nest(rest));
    const element = elements.next().value;
    return typeof element === "bigint" ? Number(element) : element;
  };
  return JSON.stringify(nest(shape));
}

function formatNumber(value: number | bigint): string {
  return typeof value === "bigint" ? String(value) : String(Number(value.toPrecision(6)));
}

function toData(dtype: DType, values: readonly (string | number)[]): DataOf<DType> {
  if (dtype === "string") return values as readonly string[]; // as they were made
  const numbers = values.map(Number);
  if (dtype === "int64") return BigInt64Array.from(numbers, (value) => BigInt(Math.trunc(value)));
  if (dtype === "uint64") return BigUint64Array.from(numbers, (value) => BigInt(Math.trunc(value)));
  return arrays[dtype].from(numbers);
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
  complex64: Float32Array,
} as const;
