import { type DataOf, type DType, dtypes, isDataOf } from "./dtype.ts";
import { InferenceError } from "./errors.ts";
import { assertTensor, type Tensor } from "./tensor.ts";

/** An element as JavaScript has it. */
export type Element = number | bigint | boolean | string;

/** Elements in arrays of arrays, one level for each dimension; or in an array of a dtype. */
export type TensorValues = Element | readonly TensorValues[] | Exclude<DataOf<DType>, readonly string[]>;

export interface TensorOptions<D extends DType> {
  /** By default that of the elements: numbers are float32, bigints int64, booleans bool, and of a Uint8Array uint8. */
  readonly dtype?: D;
  /** By default what the nesting is, or `[length]`. */
  readonly shape?: readonly number[];
}

/**
 * Makes a tensor of nested arrays, or of an array of numbers, which isn't copied: `tensor([[1, 2], [3, 4]])`,
 * `tensor(["yes", "no"])`, `tensor(samples, { shape: [1, -1] })`, where −1 is what is left. Throws `invalid-argument`
 * where arrays differ in length, elements in kind, or the shape in size.
 */
export function tensor<D extends DType = DType>(
  values: TensorValues,
  { dtype, shape }: TensorOptions<D> = {},
): Tensor<D> {
  const found = ArrayBuffer.isView(values)
    ? { dtype: dtypeOfArray(values), shape: [values.length], data: values }
    : fromNested(values, dtype);
  const made = {
    dtype: dtype ?? found.dtype,
    shape: shape ? resolveShape(shape, found.data.length) : found.shape,
    data: found.data,
  };
  assertTensor(made, "tensor");
  return made as Tensor<D>; // of the dtype that was asked for, or found
}

function dtypeOfArray(values: object): DType {
  const names = Object.keys(dtypes) as DType[]; // Object.keys widens to string
  const found = names.find((name) => name !== "bool" && isDataOf(name, values));
  if (found) return found;
  throw new InferenceError(
    "invalid-argument",
    `tensor: expected an array that a dtype has, got ${values.constructor.name}`,
  );
}

function fromNested(values: Exclude<TensorValues, ArrayBufferView>, wanted: DType | undefined) {
  const shape: number[] = [];
  for (let level: TensorValues | undefined = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  const elements: Element[] = [];
  collect(values, shape, "", elements);
  const dtype = wanted ?? dtypeOfElement(elements[0]);
  if (dtype === "string") return { dtype, shape, data: elements };
  const isBig = dtype === "int64" || dtype === "uint64";
  const convert = isBig ? BigInt : Number;
  const wrong = elements.find((element) => typeof element === "string");
  if (wrong !== undefined) {
    throw new InferenceError("invalid-argument", `tensor: expected ${dtype}, got the string ${JSON.stringify(wrong)}`);
  }
  // A union of constructors can't be called; each takes what convert makes for its dtype.
  const array = dtypes[dtype].array as { from(elements: readonly (number | bigint)[]): Float32Array };
  return { dtype, shape, data: array.from(elements.map((element) => convert(element as number))) };
}

/** Adds the elements in row-major order; `at` says where they are. */
function collect(values: unknown, shape: readonly number[], at: string, elements: Element[]): void {
  const [length, ...rest] = shape;
  if (length === undefined) {
    if (Array.isArray(values)) throw ragged(at, "an element", `a list of ${values.length}`);
    elements.push(values as Element); // whatever else it is, the dtype's array refuses it
    return;
  }
  if (!Array.isArray(values)) throw ragged(at, `a list of ${length}`, String(values));
  if (values.length !== length) throw ragged(at, `a list of ${length}`, `one of ${values.length}`);
  values.forEach((value, index) => {
    collect(value, rest, `${at}[${index}]`, elements);
  });
}

function ragged(at: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `tensor${at}: expected ${expected}, got ${got}`);
}

function dtypeOfElement(element: Element | undefined): DType {
  return ({ bigint: "int64", boolean: "bool", string: "string" } as Record<string, DType>)[typeof element] ?? "float32";
}

/** The shape with its −1, if it has one, replaced by what makes it fit. */
function resolveShape(shape: readonly number[], length: number): readonly number[] {
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  return shape.map((size) => (size === -1 ? length / known : size));
}
