import { InferenceError, type Signature, type TensorSpec, type Tensors } from "@nearside/core";
import { describeJson } from "../json/describe-json.ts";
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue, parseJson } from "../json/parse-json.ts";
import { appendElements, isBase64, tensorOf } from "./json-tensor.ts";

/** The two ways to write tensors: a list with an object per instance, or an object with a list per tensor. */
export type PredictForm = "row" | "column";

/** A predict request with the tensors that it holds. */
export interface PredictRequest {
  readonly form: PredictForm;
  readonly inputs: Tensors;
}

/** The body of a request as JSON. Throws `invalid-argument` unless it is an object. */
export function parseRequestBody(body: Uint8Array): JsonObject {
  const document = parseJson(new TextDecoder().decode(body));
  if (isJsonObject(document)) return document;
  throw formatError(document, "Is not object");
}

/** The name of the signature that a request asks for: `serving_default` unless it says otherwise. */
export function signatureName(document: JsonObject): string {
  const name = document.get("signature_name");
  if (name === undefined || name === "") return "serving_default";
  if (typeof name === "string") return name;
  throw formatError(document, "not formatted correctly. 'signature_name' key must be a string value.");
}

/** What the body of a predict request says. */
export interface PredictBody {
  /** The name of the signature that it asks for. */
  readonly name: string;
  /** Undefined where the model has no signature of this name. */
  readonly request: PredictRequest | undefined;
}

/** Reads the body of a predict request to a model with these signatures. Throws `invalid-argument`. */
export function readPredict(body: Uint8Array, signatures: ReadonlyMap<string, Signature>): PredictBody {
  const document = parseRequestBody(body);
  const name = signatureName(document);
  const signature = signatures.get(name);
  return { name, request: signature && decodePredictRequest(document, signature) };
}

/**
 * The inputs of a predict request, in row form (`instances`) or column form (`inputs`). The dtypes come from the
 * signature, the shapes from the values. Throws `invalid-argument` with TensorFlow Serving's messages.
 */
export function decodePredictRequest(document: JsonObject, signature: Signature): PredictRequest {
  const instances = document.get("instances");
  const columns = document.get("inputs");
  if (instances !== undefined && columns !== undefined) {
    const keys = "one of 'inputs' or 'instances' keys to exist ";
    throw formatError(document, `Not formatted correctly expecting only ${keys}`);
  }
  if (instances !== undefined) {
    if (!isJsonArray(instances)) throw formatError(document, "Expecting 'instances' to be an list/array");
    if (instances.length === 0) throw formatError(document, "No values in 'instances' array");
    return { form: "row", inputs: decodeRows(instances, signature.inputs) };
  }
  if (columns !== undefined) return { form: "column", inputs: decodeColumns(columns, signature.inputs) };
  throw invalid("Missing 'inputs' or 'instances' key");
}

type Specs = Signature["inputs"];

function decodeRows(instances: readonly JsonValue[], specs: Specs): Tensors {
  const first = instances[0] as JsonValue; // not empty, as checked before
  if (!isJsonObject(first) && Object.keys(specs).length > 1) {
    const needed = "expecting list of objects as multiple input tensors required as per tensorinfo_map";
    throw invalid(`instances is a plain list, but ${needed}`);
  }
  const rows = isInstanceObject(first) ? objectRows(instances, specs) : plainRows(instances, specs);
  return Object.fromEntries(
    [...rows].map(([name, { spec, shape, elements }]) => [
      name,
      tensorOf(spec.dtype, [instances.length, ...(shape ?? [])], elements),
    ]),
  );
}

/** What was collected of an input so far; the shape is that of its first instance. */
interface Column {
  readonly spec: TensorSpec;
  readonly elements: (number | bigint | string)[];
  shape: readonly number[] | null;
}

function objectRows(instances: readonly JsonValue[], specs: Specs): Map<string, Column> {
  const columns = emptyColumns(specs);
  const names = [...columns.keys()].sort();
  for (const [index, instance] of instances.entries()) {
    if (!isInstanceObject(instance)) throw invalid(`Expecting object but got list at item ${index} of input list`);
    for (const [name, value] of instance) {
      inElement(`${index} key: ${name}`, () => {
        const column = columns.get(name);
        if (!column) throw invalid(`JSON object: does not have named input: ${name}`);
        appendInstance(column, value);
      });
    }
    if (instance.size === names.length) continue; // each of them is one of the names, as just seen
    const wrong = `JSON object: ${describeJson(instance)} keys must be equal to: ${names.join(",")}`;
    throw invalid(`Failed to process element: ${index} of 'instances' list. ${wrong}`);
  }
  return columns;
}

function plainRows(instances: readonly JsonValue[], specs: Specs): Map<string, Column> {
  const columns = emptyColumns(specs);
  const [column] = columns.values();
  for (const [index, instance] of instances.entries()) {
    if (isInstanceObject(instance)) {
      throw invalid(`Expecting value/list but got object at item ${index} of input list`);
    }
    inElement(`${index}`, () => column && appendInstance(column, instance));
  }
  return columns;
}

function emptyColumns(specs: Specs): Map<string, Column> {
  return new Map(Object.entries(specs).map(([name, spec]) => [name, { spec, elements: [], shape: null }]));
}

function appendInstance(column: Column, value: JsonValue): void {
  const before = column.elements.length;
  const shape = appendElements(value, column.spec.dtype, column.elements);
  column.shape ??= shape;
  const size = column.shape.reduce((count, dimension) => count * dimension, 1);
  const got = column.elements.length - before;
  if (got !== size) throw invalid(`Expecting tensor size: ${size} but got: ${got}`);
  if (String(shape) !== String(column.shape)) {
    throw invalid(`Expecting shape [${column.shape.join(",")}] but got: [${shape.join(",")}]`);
  }
}

function decodeColumns(value: JsonValue, specs: Specs): Tensors {
  const named = isInstanceObject(value) ? value : undefined;
  if (!named && Object.keys(specs).length > 1) {
    const needed = "expecting an object as multiple input tensors required as per tensorinfo_map";
    throw invalid(`inputs is a plain value/list, but ${needed}`);
  }
  const tensors = Object.entries(specs).map(([name, { dtype }]) => {
    const item = named ? named.get(name) : value;
    if (item === undefined) throw invalid(`Missing named input: ${name} in 'inputs' object.`);
    const elements: (number | bigint | string)[] = [];
    const shape = appendElements(item, dtype, elements);
    return [name, tensorOf(dtype, shape, elements)] as const;
  });
  return Object.fromEntries(tensors);
}

/** An object of named inputs, as opposed to a string in base64. */
function isInstanceObject(value: JsonValue): value is JsonObject {
  return isJsonObject(value) && !isBase64(value);
}

/** Runs `read`, and tells of which element an error is. */
function inElement(place: string, read: () => void): void {
  try {
    read();
  } catch (cause) {
    if (!(cause instanceof InferenceError)) throw cause;
    const status = cause.code === "unsupported" ? "UNIMPLEMENTED" : "INVALID_ARGUMENT";
    const message = `Failed to process element: ${place} of 'instances' list. Error: ${status}: ${cause.message}`;
    throw new InferenceError("invalid-argument", message, { cause });
  }
}

/** The error for a value that has another form than expected. */
export function formatError(document: JsonValue, problem: string): InferenceError {
  return invalid(`JSON Value: ${describeJson(document)} ${problem}`);
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
