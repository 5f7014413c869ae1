import { InferenceError } from "@nearside/core";
import type { Example, ExampleInput } from "../inference/examples.ts";
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../json/parse-json.ts";
import { decodeBase64, isBase64 } from "./json-tensor.ts";
import { formatError, parseRequestBody, signatureName } from "./predict-request.ts";

/** Reads the body of a classify or regress request: the signature that it asks for, and its examples. */
export function readExamples(
  body: Uint8Array,
  verb: "classify" | "regress",
): { readonly name: string; readonly input: ExampleInput } {
  const document = parseRequestBody(body);
  return { name: signatureName(document), input: decodeExamplesRequest(document, verb) };
}

/**
 * The examples of a classify or regress request: under `examples` a list of objects with a value or a list of values
 * per feature, and under `context` one with the features that all share. Whole numbers and booleans are int64 features,
 * other numbers float, strings and `{"b64"}` bytes. Throws `invalid-argument`.
 */
export function decodeExamplesRequest(document: JsonObject, verb: "classify" | "regress"): ExampleInput {
  const context = document.get("context");
  const examples = document.get("examples");
  if (!isJsonArray(examples) || examples.length === 0) {
    const message = `When method is ${verb}, key 'examples' is expected and was either missing or empty`;
    throw formatError(document, message);
  }
  return { examples: examples.map(decodeExample), ...(context !== undefined && { context: decodeExample(context) }) };
}

function decodeExample(value: JsonValue): Example {
  if (!isJsonObject(value)) throw formatError(value, "Is not object");
  const feature = new Map([...value].map(([name, item]) => [name, decodeFeature(name, item)]));
  return { features: { feature } };
}

type Feature = { bytesList?: List<Uint8Array>; floatList?: List<number>; int64List?: List<bigint> };
type List<T> = { readonly value: T[] };
type Kind = keyof Feature;

function decodeFeature(name: string, value: JsonValue): Feature {
  const items = isJsonArray(value) ? value : [value];
  const [first] = items;
  if (first === undefined) return {};
  const kind = kindOf(name, first);
  for (const item of items) {
    if (kindOf(name, item) !== kind) {
      throw invalid(`Unexpected element type in feature: ${name} expecting type: ${kindNames[kind]}`);
    }
  }
  if (kind === "int64List") return { int64List: { value: items.map((item) => BigInt(item as bigint | boolean)) } }; // as kindOf saw
  if (kind === "floatList") return { floatList: { value: items as number[] } }; // as kindOf saw
  return { bytesList: { value: items.map(toBytes) } };
}

const kindNames: Readonly<Record<Kind, string>> = { int64List: "int64", floatList: "float", bytesList: "bytes" };

function kindOf(name: string, value: JsonValue): Kind {
  if (typeof value === "bigint" || typeof value === "boolean") return "int64List";
  if (typeof value === "number") return "floatList";
  if (typeof value === "string" || isBase64(value)) return "bytesList";
  throw formatError(value, `Type is not supported in feature: ${name}`);
}

function toBytes(value: JsonValue): Uint8Array {
  return isJsonObject(value) ? decodeBase64(value) : new TextEncoder().encode(String(value));
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
