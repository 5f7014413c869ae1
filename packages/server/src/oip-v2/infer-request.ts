import {
  type DType,
  decodeTensorData,
  dtypeFromOip,
  dtypes,
  elementCount,
  headerLengthName,
  InferenceError,
  type Signature,
  type Tensor,
  type Tensors,
} from "@nearside/core";
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue, parseJson } from "../json/parse-json.ts";
import { appendElements, tensorOf } from "../rest-v1/json-tensor.ts";

/** What a client asks of a model. */
export interface InferRequest {
  readonly inputs: Tensors;
  /** The outputs to compute; all of them where it is undefined. */
  readonly outputs: readonly string[] | undefined;
  readonly id: string | undefined;
  readonly parameters: InferParameters;
  /** The outputs to be sent as bytes and those not to be, where the request tells; of the others `binaryByDefault` does. */
  readonly binary: ReadonlyMap<string, boolean>;
  readonly binaryByDefault: boolean;
}

/** Parameters of a request by their names, those that are scalars. */
export type InferParameters = ReadonlyMap<string, boolean | number | bigint | string>;

const decoder = new TextDecoder(); // one for all: it keeps nothing of a whole text

/**
 * Reads an infer request. With the header Inference-Header-Content-Length, so many bytes of JSON come first and then the
 * bytes of the inputs that give a size; without, all is JSON; with a length of 0, all is the one input of the model.
 * Throws `invalid-argument` where anything doesn't fit; the bytes are hostile.
 */
export function decodeInferRequest(
  body: Uint8Array,
  headerLength: string | string[] | undefined,
  signature: Signature,
): InferRequest {
  const headerBytes = headerLength === undefined ? body.byteLength : parseLength(headerLength, body.byteLength);
  if (headerLength !== undefined && headerBytes === 0) return rawRequest(body, signature);
  const header = parseJson(decoder.decode(body.subarray(0, headerBytes)));
  if (!isJsonObject(header)) throw invalid("body", "a JSON object", "another value");
  const id = header.get("id");
  if (id !== undefined && typeof id !== "string") throw invalid("id", "a string", "another value");
  return {
    inputs: decodeInputs(header.get("inputs"), body.subarray(headerBytes)),
    id,
    parameters: parametersOf(header),
    ...decodeOutputs(header),
  };
}

function parseLength(text: string | string[], bodyBytes: number): number {
  const length = typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (length <= bodyBytes) return length;
  throw invalid(headerLengthName, `a number of bytes up to ${bodyBytes}, the body's`, String(text));
}

/** The whole body is the model's only input, one instance of it; of its sizes, one may be free. */
function rawRequest(body: Uint8Array, { inputs }: Signature): InferRequest {
  const [[name, spec] = [], ...others] = Object.entries(inputs);
  if (name === undefined || spec === undefined || others.length > 0) {
    throw invalid(headerLengthName, "a JSON header for a model with other than one input", "none");
  }
  const [batch, ...rest] = spec.shape ?? [null, null];
  const sizes = spec.shape?.length === 0 ? [] : [batch === null ? 1 : batch, ...rest];
  const bytesLeft = spec.dtype === "string" ? 1 : body.byteLength / bytesPerElement(spec.dtype);
  const known = sizes.reduce<number>((product, size) => product * (size ?? 1), 1);
  if (sizes.filter((size) => size === null).length > 1) {
    throw invalid(`input "${name}"`, "a JSON header that tells its shape", "none");
  }
  const shape = sizes.map((size) => size ?? (known === 0 ? 0 : Math.floor(bytesLeft / known)));
  const data = spec.dtype === "string" ? withLength(body) : body;
  const tensor = decodeTensorData(spec.dtype, shape as number[], data, `input "${name}"`); // no null is left
  return {
    inputs: { [name]: tensor },
    outputs: undefined,
    id: undefined,
    parameters: new Map(),
    binary: new Map(),
    binaryByDefault: true,
  };
}

function bytesPerElement(dtype: Exclude<DType, "string">): number {
  return dtypes[dtype].bytes;
}

function withLength(bytes: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(bytes.byteLength + 4);
  new DataView(prefixed.buffer).setUint32(0, bytes.byteLength, true);
  prefixed.set(bytes, 4);
  return prefixed;
}

function decodeOutputs(header: JsonObject): Pick<InferRequest, "outputs" | "binary" | "binaryByDefault"> {
  const binaryByDefault = parameterOf(header, "binary_data_output") === true;
  const outputs = header.get("outputs");
  if (outputs === undefined) return { outputs, binary: new Map(), binaryByDefault };
  if (!isJsonArray(outputs)) throw invalid("outputs", "a list", "another value");
  const binary = new Map<string, boolean>();
  for (const output of outputs) {
    const name = isJsonObject(output) ? output.get("name") : undefined;
    if (!isJsonObject(output) || typeof name !== "string") throw invalid("outputs.name", "a string", "another value");
    if (binary.has(name)) throw invalid(`output "${name}"`, "each name once", "it twice");
    const choice = parameterOf(output, "binary_data");
    binary.set(name, typeof choice === "boolean" ? choice : binaryByDefault);
  }
  const names = binary.size > 0 ? [...binary.keys()] : undefined; // an empty list asks for all of them
  return { outputs: names, binary, binaryByDefault };
}

function parametersOf(owner: JsonObject): InferParameters {
  const parameters = owner.get("parameters");
  const entries = isJsonObject(parameters) ? [...parameters] : [];
  return new Map(entries.filter((entry): entry is [string, boolean | number | bigint | string] => isScalar(entry[1])));
}

function parameterOf(owner: JsonObject, name: string): JsonValue | undefined {
  const parameters = owner.get("parameters");
  return isJsonObject(parameters) ? parameters.get(name) : undefined;
}

function isScalar(value: JsonValue): boolean {
  return value !== null && typeof value !== "object";
}

function decodeInputs(inputs: JsonValue | undefined, bytes: Uint8Array): Tensors {
  if (!isJsonArray(inputs)) throw invalid("inputs", "a list of tensors", "another value");
  const tensors = new Map<string, Tensor>();
  let offset = 0;
  for (const input of inputs) {
    if (!isJsonObject(input)) throw invalid("inputs", "objects", "another value");
    const { name, dtype, shape } = decodeSpec(input);
    if (tensors.has(name)) throw invalid(`input "${name}"`, "each name once", "it twice");
    const size = parameterOf(input, "binary_data_size");
    if (size === undefined) {
      tensors.set(name, decodeElements(name, dtype, shape, input.get("data")));
      continue;
    }
    if (input.has("data")) throw invalid(`input "${name}"`, "either data or binary_data_size", "both");
    const left = bytes.byteLength - offset;
    if (typeof size !== "bigint" || size < 0n || size > BigInt(left)) {
      throw invalid(
        `input "${name}".parameters.binary_data_size`,
        `a size up to ${left}, the bytes that are left`,
        `${size}`,
      );
    }
    const end = offset + Number(size);
    tensors.set(name, decodeTensorData(dtype, shape, bytes.subarray(offset, end), `input "${name}"`));
    offset = end;
  }
  if (offset !== bytes.byteLength) throw invalid("body", `${offset} bytes after its header`, `${bytes.byteLength}`);
  return Object.fromEntries(tensors);
}

function decodeSpec(input: JsonObject): { name: string; dtype: DType; shape: readonly number[] } {
  const name = input.get("name");
  if (typeof name !== "string") throw invalid("inputs.name", "a string", "another value");
  const dtype = dtypeFromOip(String(input.get("datatype")));
  if (dtype === undefined) {
    throw invalid(`input "${name}".datatype`, "a datatype of the protocol", String(input.get("datatype")));
  }
  const sizes = input.get("shape");
  const shape = isJsonArray(sizes) ? sizes.map((size) => (typeof size === "bigint" ? Number(size) : -1)) : [-1];
  if (!shape.every((size) => size >= 0) || !Number.isSafeInteger(elementCount(shape))) {
    throw invalid(`input "${name}".shape`, "a list of whole numbers ≥ 0 that fits in memory", "others");
  }
  return { name, dtype, shape };
}

function decodeElements(name: string, dtype: DType, shape: readonly number[], data: JsonValue | undefined): Tensor {
  if (data === undefined) {
    throw invalid(`input "${name}"`, `data, or bytes and the header ${headerLengthName}`, "neither");
  }
  const elements: (number | bigint | string)[] = [];
  appendElements(data, dtype, elements); // flat or nested: only the order counts
  const count = elementCount(shape);
  if (elements.length !== count) throw invalid(`input "${name}"`, `${count} elements`, `${elements.length}`);
  return tensorOf(dtype, shape, elements);
}

function invalid(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}`);
}
