import {
  decodeTensors,
  dtypeFromOip,
  elementCount,
  headerLengthName,
  InferenceError,
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
  /** Whether the outputs are to be sent as bytes: as the request says, else in the form that the request has. */
  readonly isBinaryReply: boolean;
}

/**
 * Reads an infer request: bytes after a JSON header where the header Inference-Header-Content-Length tells the
 * header's length, else plain JSON. Throws `invalid-argument` where anything doesn't fit; the bytes are hostile.
 */
export function decodeInferRequest(body: Uint8Array, headerLength: string | string[] | undefined): InferRequest {
  if (headerLength === undefined) {
    const document = parseJson(new TextDecoder().decode(body));
    if (!isJsonObject(document)) throw invalid("body", "a JSON object", "another value");
    return { inputs: decodeInputs(document.get("inputs")), ...decodeFields(document, false) };
  }
  const { tensors, fields } = decodeTensors("inputs", body, parseLength(headerLength));
  return { inputs: tensors, ...decodeFields(parseJson(JSON.stringify(fields)) as JsonObject, true) }; // an object
}

function parseLength(text: string | string[]): number {
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw invalid(headerLengthName, "a number of bytes", String(text));
}

function decodeFields(header: JsonObject, isBinary: boolean): Omit<InferRequest, "inputs"> {
  const id = header.get("id");
  if (id !== undefined && typeof id !== "string") throw invalid("id", "a string", "another value");
  const wantsBinary = parameter(header, "binary_data_output");
  const outputs = header.get("outputs");
  if (outputs === undefined) return { outputs, id, isBinaryReply: wantsBinary ?? isBinary };
  if (!isJsonArray(outputs)) throw invalid("outputs", "a list", "another value");
  const choices = outputs.map((output) => isJsonObject(output) && parameter(output, "binary_data"));
  return {
    outputs: outputs.map(outputName),
    id,
    isBinaryReply: wantsBinary ?? choices.find((choice) => typeof choice === "boolean") ?? isBinary,
  };
}

function outputName(output: JsonValue): string {
  const name = isJsonObject(output) ? output.get("name") : undefined;
  if (typeof name !== "string") throw invalid("outputs.name", "a string", "another value");
  return name;
}

function parameter(owner: JsonObject, name: string): boolean | undefined {
  const parameters = owner.get("parameters");
  const value = isJsonObject(parameters) ? parameters.get(name) : undefined;
  return typeof value === "boolean" ? value : undefined;
}

function decodeInputs(inputs: JsonValue | undefined): Tensors {
  if (!isJsonArray(inputs)) throw invalid("inputs", "a list of tensors", "another value");
  const tensors = new Map<string, Tensors[string]>();
  for (const input of inputs) {
    if (!isJsonObject(input)) throw invalid("inputs", "objects", "another value");
    const name = input.get("name");
    if (typeof name !== "string") throw invalid("inputs.name", "a string", "another value");
    if (tensors.has(name)) throw invalid(`input "${name}"`, "each name once", "it twice");
    tensors.set(name, decodeInput(name, input));
  }
  return Object.fromEntries(tensors);
}

function decodeInput(name: string, input: JsonObject): Tensors[string] {
  const dtype = dtypeFromOip(String(input.get("datatype")));
  if (dtype === undefined) {
    throw invalid(`input "${name}".datatype`, "a datatype of the protocol", String(input.get("datatype")));
  }
  const sizes = input.get("shape");
  const shape = isJsonArray(sizes) ? sizes.map((size) => (typeof size === "bigint" ? Number(size) : -1)) : [-1];
  if (shape.some((size) => size < 0)) throw invalid(`input "${name}".shape`, "a list of whole numbers ≥ 0", "others");
  const data = input.get("data");
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
