import { type DataOf, type DType, dtypes, isDataOf, isDType } from "./dtype.ts";
import { InferenceError } from "./errors.ts";

/** A value: element type, dimensions and row-major elements. A plain object that owns no device memory. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf<D>;
}

/** Tensors by name, as a run takes and returns them. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** The number of elements of a tensor of this shape; 1 for a scalar (`[]`). */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, dimension) => count * dimension, 1);
}

/** The length that `data` must have for a tensor of this dtype and shape; twice the elements for complex64. */
export function dataLength(dtype: DType, shape: readonly number[]): number {
  return elementCount(shape) * (dtype === "complex64" ? 2 : 1);
}

/**
 * Throws `invalid-argument`, naming `where`, unless `value` is a tensor: a known dtype, whole non-negative dimensions,
 * data in the array of its dtype with exactly as many elements as its shape needs.
 */
export function assertTensor(value: unknown, where: string): asserts value is Tensor {
  const { dtype, shape, data } = (typeof value === "object" && value !== null ? value : {}) as Partial<Tensor>;
  if (!isDType(dtype)) {
    throw invalid(where, "a tensor { dtype, shape, data }", dtype === undefined ? describe(value) : `dtype ${dtype}`);
  }
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw invalid(where, "a shape of whole numbers ≥ 0", JSON.stringify(shape));
  }
  if (!isDataOf(dtype, data)) {
    throw invalid(where, `${dtype} data in a ${dtypes[dtype].array.name}`, describe(data));
  }
  const expected = dataLength(dtype, shape);
  if (data.length !== expected) {
    throw invalid(where, `${expected} values for ${dtype} [${shape.join(",")}]`, `${data.length}`);
  }
  if (dtype === "string" && !(data as readonly unknown[]).every((element) => typeof element === "string")) {
    throw invalid(where, "strings only", "another type among them");
  }
}

function invalid(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}`);
}

function describe(value: unknown): string {
  return value !== null && typeof value === "object" ? (value.constructor?.name ?? "object") : String(value);
}
