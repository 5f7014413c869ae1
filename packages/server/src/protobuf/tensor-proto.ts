import {
  type DType,
  dataLength,
  decodeText,
  dtypeFromTensorFlow,
  dtypes,
  encodeText,
  InferenceError,
  type Tensor,
  tensorflowNames,
} from "@nearside/core";
import type { Proto } from "./codec.ts";
import type { Draft } from "./encode.ts";
import { enums } from "./protos.ts";

type TensorProto = Proto<"tensorflow.TensorProto">;

/** What may be made of a few bytes: a shape, and one element to fill it with. */
const maxFilledBytes = 128 * 2 ** 20;

/**
 * The tensor that a message holds: raw bytes (`tensor_content`) or a list of values, of which the last fills what the
 * shape has more. Throws `invalid-argument`, naming `where`; `unsupported` for a dtype that no tensor here has.
 */
export function fromTensorProto(proto: TensorProto, where: string): Tensor {
  const dtype = dtypeOf(proto.dtype, where);
  const dimensions = proto.tensorShape?.dim ?? [];
  const shape = dimensions.map(({ size }) => size);
  const length = dataLength(dtype, shape);
  if (proto.tensorShape?.unknownRank || !shape.every((size) => size >= 0) || !Number.isSafeInteger(length)) {
    throw invalid(where, "a shape that fits in memory", `[${shape.join(",")}]`);
  }
  if (dtype === "string") {
    const texts = proto.stringVal.map((bytes) => decodeText(bytes));
    return { dtype, shape, data: filled(texts, length, "", 16, where) };
  }
  const Data = dtypes[dtype].array;
  if (proto.tensorContent.byteLength > 0) {
    const expected = length * Data.BYTES_PER_ELEMENT;
    if (proto.tensorContent.byteLength !== expected) {
      throw invalid(where, `${expected} bytes for [${shape.join(",")}]`, `${proto.tensorContent.byteLength}`);
    }
    return { dtype, shape, data: new Data(new Uint8Array(proto.tensorContent).buffer) } as Tensor; // copied, so aligned
  }
  const { field, zero } = valueFields[dtype];
  const values = proto[field].map((value) => (typeof value === "boolean" ? Number(value) : value));
  const all = filled<number | bigint>(values, length, zero, Data.BYTES_PER_ELEMENT, where);
  const From = Data as unknown as { from(values: readonly (number | bigint)[]): Tensor["data"] }; // whichever it is
  return { dtype, shape, data: From.from(all) } as Tensor;
}

/** A tensor as a message: its values in the list of its dtype, or as raw bytes. */
export function toTensorProto(tensor: Tensor, { asContent = false } = {}): Draft<TensorProto> {
  const { dtype, shape, data } = tensor;
  const proto = { dtype: dataTypeNumber(dtype), tensorShape: { dim: shape.map((size) => ({ size })) } };
  if (dtype === "string") return { ...proto, stringVal: (data as readonly string[]).map(encodeText) };
  if (asContent) {
    const { buffer, byteOffset, byteLength } = data as Float32Array; // any typed array
    return { ...proto, tensorContent: new Uint8Array(buffer, byteOffset, byteLength) };
  }
  return { ...proto, [valueFields[dtype].field]: data };
}

/** The number of a dtype in TensorFlow's messages. */
export function dataTypeNumber(dtype: DType): number {
  return enums["tensorflow.DataType"].findIndex(([name]) => name === tensorflowNames[dtype]);
}

/** TensorFlow's name of an element type by its number: `DT_FLOAT`. */
export function dataTypeName(number: number): string {
  return enums["tensorflow.DataType"][number]?.[0] ?? String(number);
}

function dtypeOf(number: number, where: string): DType {
  const name = dataTypeName(number);
  const dtype = dtypeFromTensorFlow(name);
  if (dtype !== undefined) return dtype;
  if (name === "DT_INVALID") throw invalid(where, "a dtype", "none");
  throw new InferenceError("unsupported", `${where}: no tensor here can hold ${name}`);
}

/** The values, with the last repeated until there are `length`; of none, `zero` is. */
function filled<T>(values: readonly T[], length: number, zero: T, elementBytes: number, where: string): readonly T[] {
  if (values.length === length) return values;
  if (values.length > length) throw invalid(where, `${length} values`, `${values.length}`);
  if (length * elementBytes > maxFilledBytes) {
    throw invalid(where, `all values of so large a tensor (${length})`, `${values.length}`);
  }
  return [...values, ...new Array<T>(length - values.length).fill(values.at(-1) ?? zero)];
}

/** Which list of a TensorProto holds the values of each dtype. */
const valueFields = {
  float32: { field: "floatVal", zero: 0 },
  float64: { field: "doubleVal", zero: 0 },
  int8: { field: "intVal", zero: 0 },
  uint8: { field: "intVal", zero: 0 },
  int16: { field: "intVal", zero: 0 },
  uint16: { field: "intVal", zero: 0 },
  int32: { field: "intVal", zero: 0 },
  uint32: { field: "uint32Val", zero: 0 },
  int64: { field: "int64Val", zero: 0n },
  uint64: { field: "uint64Val", zero: 0n },
  bool: { field: "boolVal", zero: 0 },
  complex64: { field: "scomplexVal", zero: 0 },
} as const satisfies Readonly<Record<Exclude<DType, "string">, { field: keyof TensorProto; zero: number | bigint }>>;

function invalid(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}`);
}
