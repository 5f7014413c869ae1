import { encodeText, InferenceError, type Tensor, type Tensors } from "@nearside/core";
import { formatFloat } from "../json/format-float.ts";
import { tensorFlowName } from "./json-tensor.ts";
import type { PredictForm } from "./predict-request.ts";

/**
 * The body of a predict response, in the form of its request: `predictions` or `outputs`. One output is a bare value,
 * several are objects by name. Throws `invalid-argument` where the outputs don't have one batch size (row form).
 */
export function encodePredictResponse(form: PredictForm, outputs: Tensors, options: ElementOptions = {}): string {
  return form === "row" ? encodeRows(outputs, options) : encodeColumns(outputs, options);
}

/** How elements are written. */
export interface ElementOptions {
  /** NaN and infinities are null (default false: bare words, as TensorFlow Serving has them). */
  readonly nonFiniteAsNull?: boolean;
}

/** The elements of a tensor as JSON: nested lists in its shape, each on one line. */
export function encodeElements(name: string, tensor: Tensor, options: ElementOptions = {}): string {
  return nest(elementTexts(name, tensor, options), tensor.shape, 0, tensor.data.length);
}

function encodeRows(outputs: Tensors, options: ElementOptions): string {
  const entries = Object.entries(outputs);
  const batch = batchSize(entries);
  const columns = entries.map(([name, tensor]) => {
    const texts = elementTexts(name, tensor, options);
    const length = batch === 0 ? 0 : texts.length / batch;
    return { name, row: (index: number) => nest(texts, tensor.shape.slice(1), index * length, (index + 1) * length) };
  });
  const [only, ...others] = columns;
  const rows = Array.from({ length: batch }, (_, index) => {
    if (only && others.length === 0) return only.row(index);
    return encodeObject(
      columns.map(({ name, row }) => [name, row(index)] as const),
      "        ",
    );
  });
  const list = others.length === 0 ? `[${rows.join(", ")}` : `[\n        ${rows.join(",\n        ")}`;
  return `{\n    "predictions": ${list}\n    ]\n}`;
}

function encodeColumns(outputs: Tensors, options: ElementOptions): string {
  const members = Object.entries(outputs).map(
    ([name, tensor]) => [name, encodeElements(name, tensor, options)] as const,
  );
  const [only, ...others] = members;
  const value = only && others.length === 0 ? only[1] : encodeObject(members, "    ");
  return `{\n    "outputs": ${value}\n}`;
}

function encodeObject(members: readonly (readonly [string, string])[], indent: string): string {
  const lines = members.map(([name, text]) => `${indent}    ${JSON.stringify(name)}: ${text}`);
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

function batchSize(entries: readonly (readonly [string, Tensor])[]): number {
  let batch: number | undefined;
  for (const [name, { shape }] of entries) {
    const [size] = shape;
    if (size === undefined) throw invalid(`Tensor name: ${name} has no shape information `);
    if (batch !== undefined && batch !== size) {
      throw invalid(`Tensor name: ${name} has inconsistent batch size: ${size} expecting: ${batch}`);
    }
    batch = size;
  }
  if (batch === undefined) throw invalid("Cannot convert empty tensor map to JSON");
  return batch;
}

function elementTexts(name: string, tensor: Tensor, options: ElementOptions): string[] {
  const { dtype, data } = tensor;
  if (dtype === "complex64") {
    throw invalid(`Failed to write JSON value for tensor type: ${tensorFlowName(dtype)}`);
  }
  // An output whose name ends so holds bytes: TensorFlow Serving's convention.
  if (dtype === "string" && name.endsWith("_bytes")) {
    return Array.from(
      data as readonly string[],
      (text) => `{"b64": "${Buffer.from(encodeText(text)).toString("base64")}"}`,
    );
  }
  if (dtype === "string") return Array.from(data as readonly string[], (text) => JSON.stringify(text));
  if (dtype === "bool") return Array.from(data as Uint8Array, (value) => (value ? "true" : "false"));
  if (dtype === "float32" || dtype === "float64") {
    return Array.from(data as Float32Array | Float64Array, (value) => formatFloat(value, dtype, options));
  }
  return Array.from(data as Int32Array, String); // stands for every integer array
}

function nest(texts: readonly string[], shape: readonly number[], start: number, end: number): string {
  const [size, ...inner] = shape;
  if (size === undefined) return texts[start] as string; // a scalar has one element
  if (inner.length === 0) return `[${texts.slice(start, end).join(", ")}]`;
  const length = size === 0 ? 0 : (end - start) / size;
  const items = Array.from({ length: size }, (_, index) => {
    return nest(texts, inner, start + index * length, start + (index + 1) * length);
  });
  return `[${items.join(", ")}]`;
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
