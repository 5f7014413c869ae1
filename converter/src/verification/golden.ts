import { assertTensor, decodeText, dtypes, InferenceError, isDType, type Tensors } from "@nearside/core";

/** One run that TensorFlow made, of the signature it was made with. */
export interface GoldenCase {
  readonly signature: string;
  /** False for a random op: then only the dtypes and shapes say anything. */
  readonly isDeterministic: boolean;
  readonly inputs: Tensors;
  readonly outputs: Tensors;
}

/**
 * Reads `golden.json`: `{ cases: [{ signature, inputs, outputs, deterministic? }] }`, tensors by name as
 * `{ dtype, shape, b64 }`: little-endian row-major bytes in base64, or for strings a list of base64 strings. Cases with
 * an `error` have no outputs and are left out. Throws `invalid-argument`, naming the place, for what isn't that.
 */
export function parseGolden(text: string, where = "golden.json"): readonly GoldenCase[] {
  const { cases } = object(parse(text, where), where);
  if (!Array.isArray(cases)) throw wrong(`${where}: cases`, "a list", cases);
  return cases.flatMap((json: unknown, index) => {
    const place = `${where}: cases[${index}]`;
    const { signature, error, deterministic, inputs, outputs } = object(json, place);
    if (error !== undefined) return [];
    if (typeof signature !== "string") throw wrong(`${place}.signature`, "a name", signature);
    return {
      signature,
      isDeterministic: deterministic !== false,
      inputs: decodeTensors(inputs, `${place}.inputs`),
      outputs: decodeTensors(outputs, `${place}.outputs`),
    };
  });
}

function decodeTensors(json: unknown, where: string): Tensors {
  const tensors = Object.entries(object(json, where)).map(([name, tensor]) => {
    const place = `${where}.${name}`;
    const { dtype, shape, b64 } = object(tensor, place);
    if (!isDType(dtype)) throw wrong(`${place}.dtype`, "a tensor's dtype", dtype);
    const decoded = { dtype, shape, data: dtype === "string" ? strings(b64, place) : numbers(b64, dtype, place) };
    assertTensor(decoded, place);
    return [name, decoded] as const;
  });
  return Object.fromEntries(tensors);
}

function strings(b64: unknown, where: string): readonly string[] {
  if (!Array.isArray(b64)) throw wrong(`${where}.b64`, "a list of base64 strings", b64);
  return b64.map((text) => decodeText(fromBase64(text, where)));
}

function numbers(b64: unknown, dtype: Exclude<keyof typeof dtypes, "string">, where: string) {
  const bytes = fromBase64(b64, where);
  const { array } = dtypes[dtype];
  if (bytes.length % array.BYTES_PER_ELEMENT !== 0) throw wrong(`${where}.b64`, `whole ${dtype}s`, bytes.length);
  return new array(bytes.buffer);
}

function fromBase64(text: unknown, where: string): Uint8Array<ArrayBuffer> {
  try {
    if (typeof text === "string") return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // falls through to what it should have been
  }
  throw wrong(`${where}.b64`, "base64", text);
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InferenceError("invalid-argument", `${where}: expected JSON; ${String(cause)}`, { cause });
  }
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>; // just seen
  throw wrong(where, "an object", value);
}

function wrong(where: string, expected: string, got: unknown): InferenceError {
  const text = (JSON.stringify(got) ?? "nothing").slice(0, 80);
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${text}`);
}
