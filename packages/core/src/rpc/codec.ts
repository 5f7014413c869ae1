import { type DType, dtypes } from "../dtype.ts";
import { InferenceError } from "../errors.ts";
import { dataLength, type Tensor, type Tensors } from "../tensor.ts";
import { decodeText, encodeText } from "../text-bytes.ts";
import { dtypeFromOip, oipName } from "./oip-dtypes.ts";

/**
 * A body of the Open Inference Protocol v2 with its binary tensor extension: a JSON header, then the tensors' bytes
 * end to end in the order that the header lists them (little-endian, row-major; BOOL one byte; BYTES as a uint32
 * length and the bytes, for each string). `headerBytes` travels as `Inference-Header-Content-Length`.
 */
export interface BinaryBody {
  readonly headerBytes: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The name of the HTTP header that tells where the JSON ends. */
export const headerLengthName = "inference-header-content-length";

/**
 * Writes tensors under `key` (`inputs` of a request, `outputs` of a response) of a header with these other `fields`.
 * Throws `unsupported` for a dtype that the protocol has no name for.
 */
export function encodeTensors(
  key: "inputs" | "outputs",
  tensors: Tensors,
  fields: Readonly<Record<string, unknown>> = {},
): BinaryBody {
  const parts: Uint8Array[] = [];
  const entries = Object.entries(tensors).map(([name, tensor]) => {
    const bytes = encodeTensorData(tensor);
    parts.push(bytes);
    const parameters = { binary_data_size: bytes.byteLength };
    return { name, shape: tensor.shape, datatype: oipName(name, tensor.dtype), parameters };
  });
  const header = new TextEncoder().encode(JSON.stringify({ ...fields, [key]: entries }));
  return { headerBytes: header.byteLength, body: concatenate([header, ...parts]) };
}

/**
 * Reads what {@link encodeTensors} wrote. The bytes are hostile until parsed: sizes are checked against shapes and
 * against what is really there; throws `invalid-argument` naming the tensor. `fields` is the rest of the header.
 */
export function decodeTensors(
  key: "inputs" | "outputs",
  body: Uint8Array,
  headerBytes: number,
): { tensors: Tensors; fields: Readonly<Record<string, unknown>> } {
  const { [key]: entries, ...fields } = decodeHeader(body, headerBytes);
  if (!Array.isArray(entries)) throw invalid(`header.${key}`, "a list of tensors", JSON.stringify(entries));
  const tensors: Record<string, Tensor> = {};
  let offset = headerBytes;
  for (const entry of entries as readonly unknown[]) {
    const { name, dtype, shape, size } = parseEntry(entry, key);
    if (Object.hasOwn(tensors, name)) throw invalid(`${key} "${name}"`, "each name once", "it twice");
    if (size > body.byteLength - offset) {
      throw invalid(`${key} "${name}"`, `${size} bytes`, `${body.byteLength - offset} left in the body`);
    }
    const value = decodeTensorData(dtype, shape, body.subarray(offset, offset + size), `${key} "${name}"`);
    Object.defineProperty(tensors, name, { value, enumerable: true }); // also "__proto__"
    offset += size;
  }
  if (offset !== body.byteLength) throw invalid("body", `${offset} bytes`, `${body.byteLength}`);
  return { tensors, fields };
}

function decodeHeader(body: Uint8Array, headerBytes: number): Record<string, unknown> {
  if (!Number.isSafeInteger(headerBytes) || headerBytes < 0 || headerBytes > body.byteLength) {
    throw invalid(headerLengthName, `0 to ${body.byteLength}, the body's length`, String(headerBytes));
  }
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body.subarray(0, headerBytes)));
    if (typeof header === "object" && header !== null) return header as Record<string, unknown>;
  } catch (cause) {
    throw new InferenceError("invalid-argument", `header: expected ${headerBytes} bytes of JSON`, { cause });
  }
  throw invalid("header", "a JSON object", "another value");
}

function parseEntry(entry: unknown, key: string): { name: string; dtype: DType; shape: number[]; size: number } {
  const { name, datatype, shape, parameters } = (entry ?? {}) as Record<string, unknown>;
  if (typeof name !== "string") throw invalid(`${key}.name`, "a string", JSON.stringify(name));
  const dtype = dtypeFromOip(String(datatype));
  if (dtype === undefined) throw invalid(`${key} "${name}".datatype`, "a datatype of the protocol", String(datatype));
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw invalid(`${key} "${name}".shape`, "whole numbers ≥ 0", JSON.stringify(shape));
  }
  const size = (parameters as Record<string, unknown> | undefined)?.binary_data_size;
  if (!Number.isSafeInteger(size) || Number(size) < 0) {
    throw invalid(`${key} "${name}".parameters.binary_data_size`, "a size in bytes", String(size));
  }
  return { name, dtype, shape: shape as number[], size: Number(size) };
}

/** The bytes of a tensor as the binary extension lays them out; a view of numbers, not a copy. */
export function encodeTensorData(tensor: Tensor): Uint8Array {
  const { data } = tensor;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const strings = data.map((text) => encodeText(text));
  return concatenate(strings.flatMap((bytes) => [uint32(bytes.byteLength), bytes]));
}

/** The tensor with these bytes, copied. Throws `invalid-argument`, naming `where`, unless they are all of its elements. */
export function decodeTensorData(dtype: DType, shape: readonly number[], bytes: Uint8Array, where: string): Tensor {
  const length = dataLength(dtype, shape);
  if (!Number.isSafeInteger(length)) throw invalid(where, "a shape that fits in memory", `[${shape.join(",")}]`);
  if (dtype === "string") return { dtype, shape, data: decodeStrings(bytes, length, where) };
  const Data = dtypes[dtype].array;
  if (bytes.byteLength !== length * Data.BYTES_PER_ELEMENT) {
    throw invalid(where, `${length * Data.BYTES_PER_ELEMENT} bytes for [${shape.join(",")}]`, `${bytes.byteLength}`);
  }
  const copy = new Uint8Array(bytes); // also aligns: the offset in the body is arbitrary
  return { dtype, shape, data: new Data(copy.buffer) } as Tensor; // the array is its dtype's
}

function decodeStrings(bytes: Uint8Array, count: number, where: string): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: string[] = [];
  let offset = 0;
  while (offset < bytes.byteLength) {
    const start = offset + 4;
    const end = start <= bytes.byteLength ? start + view.getUint32(offset, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.byteLength)
      throw invalid(where, "whole strings", `the end of the data inside string ${strings.length}`);
    strings.push(decodeText(bytes.subarray(start, end)));
    offset = end;
  }
  if (strings.length !== count) throw invalid(where, `${count} strings`, `${strings.length}`);
  return strings;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.byteLength;
  }
  return joined;
}

function invalid(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}`);
}
