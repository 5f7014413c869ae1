import { type DType, decodeText, dtypes, encodeText, InferenceError, type Tensor } from "@nearside/core";
import { complex, imag, real, type Tensor as TfjsTensor, tensor as tfjsTensor } from "@tensorflow/tfjs-core";

/** The element type that TensorFlow.js computes each dtype in: it has no float64 and one integer, int32. */
const computedAs = {
  float32: "float32",
  float64: "float32",
  int8: "int32",
  uint8: "int32",
  int16: "int32",
  uint16: "int32",
  int32: "int32",
  uint32: "int32",
  int64: "int32",
  uint64: "int32",
  bool: "bool",
  string: "string",
  complex64: "complex64",
} as const satisfies Record<DType, string>;

/**
 * Puts a tensor onto the current backend. Throws `invalid-argument`, naming `where`, for an integer that int32 can't
 * hold: it would wrap around silently.
 */
export function toTfjs(tensor: Tensor, where: string): TfjsTensor {
  const shape = [...tensor.shape];
  const dtype = computedAs[tensor.dtype];
  if (dtype === "string") {
    // Bytes are what TensorFlow.js holds of a string, too, but its types know of texts only.
    return tfjsTensor((tensor.data as readonly string[]).map(encodeText) as unknown as string[], shape, "string");
  }
  if (dtype === "complex64") return toTfjsComplex(tensor.data as Float32Array, shape);
  if (dtype === "bool") return tfjsTensor(tensor.data as Uint8Array, shape, "bool");
  // A copy, since the cpu backend keeps what it is given; `from` would take the elements one by one.
  if (dtype === "float32") return tfjsTensor(new Float32Array(tensor.data as Float32Array), shape, "float32");
  return tfjsTensor(toInt32(tensor, where), shape, "int32");
}

/** A tensor of real numbers as the device takes them. */
export interface DeviceNumbers {
  readonly dtype: "float32" | "int32" | "bool";
  readonly data: Float32Array | Int32Array;
}

/** The elements in the four bytes each that devices hold them in; undefined where they are texts or complex numbers. */
export function toDeviceNumbers(tensor: Tensor, where: string): DeviceNumbers | undefined {
  const dtype = computedAs[tensor.dtype];
  if (dtype === "string" || dtype === "complex64") return undefined;
  if (dtype === "int32") return { dtype, data: toInt32(tensor, where) };
  if (dtype === "bool") return { dtype, data: Int32Array.from(tensor.data as Uint8Array) };
  return {
    dtype,
    data: tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data as Float64Array),
  };
}

/** Integers as their decimal digits: TensorFlow.js can hold and compare those of any size. */
export function toDecimals({ shape, data }: Tensor): Tensor<"string"> {
  return { dtype: "string", shape, data: Array.from<unknown, string>(data, String) };
}

/** Reads a tensor back from its backend, as the dtype that the signature promises. Does not dispose it. */
export async function fromTfjs(tensor: TfjsTensor, dtype: DType): Promise<Tensor> {
  const shape = tensor.shape;
  if (dtype === "complex64") return { dtype, shape, data: await readComplex(tensor) };
  if (dtype === "string") {
    const bytes = (await tensor.bytes()) as Uint8Array[]; // one for each string
    return { dtype, shape, data: bytes.map(decodeText) };
  }
  return toTensor(await tensor.data(), shape, dtype);
}

/** The tensor that a signature promises, of what was computed. */
export function toTensor(values: ArrayLike<number>, shape: readonly number[], dtype: Exclude<DType, "string">): Tensor {
  // A copy in every case: the cpu backend hands out its own array, which may be a weight's.
  if (dtype === "int64" || dtype === "uint64") {
    return { dtype, shape, data: dtypes[dtype].array.from(Array.from(values, BigInt)) };
  }
  return { dtype, shape, data: new dtypes[dtype].array(values) } as Tensor; // one dtype, one array
}

function toInt32({ dtype, data }: Tensor, where: string): Int32Array {
  const values = Int32Array.from(data as ArrayLike<number>, (value) => Number(value)); // Number: from bigint, too
  if (dtype !== "uint32" && dtypes[dtype].bytes !== 8) return values; // the others fit
  for (let index = 0; index < values.length; index++) {
    if (values[index] !== Number(data[index])) {
      const message = `${where}: expected values within int32, which this backend computes in, got ${data[index]}`;
      throw new InferenceError(
        "invalid-argument",
        `${message} at ${index}; send it as float32, or run it on TensorFlow`,
      );
    }
  }
  return values;
}

function toTfjsComplex(pairs: Float32Array, shape: number[]): TfjsTensor {
  const part = (offset: 0 | 1) =>
    tfjsTensor(
      pairs.filter((_, index) => index % 2 === offset),
      shape,
      "float32",
    );
  const [re, im] = [part(0), part(1)];
  const joined = complex(re, im);
  re.dispose();
  im.dispose();
  return joined;
}

async function readComplex(tensor: TfjsTensor): Promise<Float32Array<ArrayBuffer>> {
  const [re, im] = [real(tensor), imag(tensor)];
  const [reValues, imValues] = await Promise.all([re.data(), im.data()]);
  re.dispose();
  im.dispose();
  return Float32Array.from({ length: reValues.length * 2 }, (_, index) =>
    Number((index % 2 === 0 ? reValues : imValues)[index >> 1]),
  );
}
