import { type DType, decodeText, dtypes, InferenceError, type Tensor } from "@nearside/core";
import { describeJson, jsonTypeName } from "../json/describe-json.ts";
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../json/parse-json.ts";

/** The smallest and the largest value of each integer dtype. */
const integerRanges = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
} as const;

type Element = number | bigint | string;

/** The name of a dtype in TensorFlow's messages. */
export function tensorFlowName(dtype: DType): string {
  return { float32: "float", float64: "double" }[dtype as string] ?? dtype;
}

/** True if `value` is exactly `{ "b64": "<text>" }`, a string in base64. */
export function isBase64(value: JsonValue): value is JsonObject {
  return isJsonObject(value) && value.size === 1 && typeof value.get("b64") === "string";
}

/**
 * Appends the elements of a value, a list or nested lists to `elements`, and returns its shape, which its first
 * elements tell. Throws `invalid-argument` where the rest has another shape or an element is not of the dtype.
 */
export function appendElements(value: JsonValue, dtype: DType, elements: Element[]): readonly number[] {
  const shape = shapeOf(value);
  fill(value, shape, 0, dtype, elements);
  return shape;
}

/** The tensor with these elements, which {@link appendElements} collected. */
export function tensorOf(dtype: DType, shape: readonly number[], elements: readonly Element[]): Tensor {
  if (dtype === "string") return { dtype, shape, data: elements as readonly string[] }; // as appended
  const Data = dtypes[dtype].array as { from(elements: readonly Element[]): Tensor["data"] }; // whichever it is
  return { dtype, shape, data: Data.from(elements) } as Tensor;
}

function shapeOf(value: JsonValue | undefined): number[] {
  const shape: number[] = [];
  for (let item = value; isJsonArray(item); item = item[0]) shape.push(item.length);
  return shape;
}

function fill(value: JsonValue, shape: readonly number[], level: number, dtype: DType, elements: Element[]): void {
  if (!isJsonArray(value)) {
    if (level !== shape.length) {
      const levels = `found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${shape.length}`;
      throw invalid(`JSON Value: ${describeJson(value)} ${levels}`);
    }
    elements.push(readElement(value, dtype));
    return;
  }
  const size = shape[level];
  if (size === undefined) throw invalid(`Encountered list at unexpected level: ${level} expected < ${shape.length}`);
  if (value.length !== size) {
    const found = `Encountered list at unexpected size: ${value.length} at level: ${level}`;
    throw invalid(`${found} expected size: ${size}`);
  }
  for (const item of value) fill(item, shape, level + 1, dtype, elements);
}

function readElement(value: JsonValue, dtype: DType): Element {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  if (dtype === "float32" || dtype === "float64") {
    if (isNumber) return Number(value);
  } else if (dtype === "bool") {
    if (typeof value === "boolean") return value ? 1 : 0;
  } else if (dtype === "string") {
    if (typeof value === "string") return value;
    if (isJsonObject(value)) return decodeText(decodeBase64(value));
  } else if (dtype === "complex64") {
    throw new InferenceError(
      "unsupported",
      `Conversion of JSON Value: ${describeJson(value)} to type: ${tensorFlowName(dtype)}`,
    );
  } else {
    const [smallest, largest] = integerRanges[dtype];
    if (typeof value === "bigint" && value >= smallest && value <= largest) {
      return dtype === "int64" || dtype === "uint64" ? value : Number(value);
    }
  }
  const type = `Type: ${jsonTypeName(value)} is not of expected type: ${tensorFlowName(dtype)}`;
  throw invalid(`JSON Value: ${describeJson(value)} ${type}`);
}

/** The bytes of `{ "b64": "<text>" }`. Throws `invalid-argument` where it is something else. */
export function decodeBase64(value: JsonObject): Uint8Array {
  const text = value.get("b64");
  if (value.size !== 1 || typeof text !== "string") {
    throw invalid(`JSON Value: ${describeJson(value)} not formatted correctly for base64 data`);
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.replace(/=+$/, "").length % 4 === 1) {
    throw invalid("Unable to base64 decode");
  }
  return Buffer.from(text, "base64");
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
