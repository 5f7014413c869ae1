import type { DType } from "./dtype.ts";
import { InferenceError } from "./errors.ts";
import { type ImageInput, isImage, type RunInputs } from "./image-input.ts";
import { assertTensor } from "./tensor.ts";

/** What a tensor must be: its dtype, and its shape with `null` for a dimension (or the whole rank) that is free. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: readonly (number | null)[] | null;
}

/** The named inputs and outputs of a model. */
export interface Signature {
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  readonly outputs: Readonly<Record<string, TensorSpec>>;
}

/** A spec as messages print it: `float32 [?,28,28,1]`. */
export function formatSpec({ dtype, shape }: TensorSpec): string {
  return `${dtype} [${shape === null ? "…" : shape.map((size) => size ?? "?").join(",")}]`;
}

/**
 * Throws `invalid-argument` unless `inputs` has exactly the signature's names, each a tensor that fits its spec.
 * The message names the input, what was expected, what was given and, where it is plain, what to do.
 */
export function checkInputs(signature: Signature, inputs: unknown): asserts inputs is RunInputs {
  if (typeof inputs !== "object" || inputs === null) {
    throw new InferenceError("invalid-argument", `inputs: expected an object of tensors by name, got ${inputs}`);
  }
  const given = inputs as Record<string, unknown>;
  const names = Object.keys(signature.inputs);
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(signature.inputs, name));
  if (unknown.length > 0) {
    throw new InferenceError("invalid-argument", `input "${unknown[0]}": the model's inputs are ${list(names)}`);
  }
  for (const name of names) {
    const spec = signature.inputs[name] as TensorSpec; // a key of this very object
    if (!Object.hasOwn(given, name)) {
      throw new InferenceError("invalid-argument", `input "${name}": expected ${formatSpec(spec)}, got nothing`);
    }
    checkInput(given[name], spec, `input "${name}"`);
  }
}

/** Throws `invalid-argument`, listing the outputs there are, if `outputs` asks for a name that is not one of them. */
export function checkOutputs(signature: Signature, outputs: readonly string[]): void {
  const missing = outputs.find((name) => !Object.hasOwn(signature.outputs, name));
  if (missing === undefined) return;
  const names = list(Object.keys(signature.outputs));
  throw new InferenceError("invalid-argument", `output "${missing}": the model's outputs are ${names}`);
}

/** It may be anything that has `pixels`. */
function checkImage({ dtype, shape, pixels }: Partial<ImageInput>, where: string): void {
  if (dtype !== "float32" || !Array.isArray(shape) || typeof pixels !== "object") {
    throw new InferenceError(
      "invalid-argument",
      `${where}: expected what image() made, got another object with pixels`,
    );
  }
  if (pixels.width > 0) return;
  throw new InferenceError("invalid-argument", `${where}: its image was closed; make it again by image()`);
}

function checkInput(value: unknown, spec: TensorSpec, where: string): void {
  if (typeof value === "object" && value !== null && isImage(value)) checkImage(value, where);
  else assertTensor(value, where);
  if (value.dtype === spec.dtype && fits(value.shape, spec.shape)) return;
  const lacksBatch = spec.shape !== null && spec.shape[0] === null && fits([1, ...value.shape], spec.shape);
  const advice = value.dtype === spec.dtype && lacksBatch ? "; add a batch axis" : "";
  const message = `${where}: expected ${formatSpec(spec)}, got ${formatSpec(value)}${advice}`;
  throw new InferenceError("invalid-argument", message);
}

function fits(shape: readonly number[], spec: TensorSpec["shape"]): boolean {
  if (spec === null) return true;
  return shape.length === spec.length && spec.every((size, axis) => size === null || size === shape[axis]);
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
