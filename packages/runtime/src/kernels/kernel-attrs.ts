import { InferenceError } from "@nearside/core";
import type { DataType } from "@tensorflow/tfjs-core";
import type { Values } from "./kernel.ts";

/** A node's attributes, as TensorFlow names them; each with the default that TensorFlow has for it. */
export interface KernelAttrs {
  /** The node's op, for what is said of it. */
  readonly op: string;
  int(name: string, missing: number): number;
  float(name: string, missing: number): number;
  bool(name: string, missing: boolean): boolean;
  text(name: string, missing: string): string;
  /** TensorFlow's name for a type: `DT_FLOAT`. */
  type(name: string, missing: string): string;
  /** The name of a function. */
  func(name: string): string;
  numbers(name: string): readonly number[];
  texts(name: string): readonly string[];
  types(name: string): readonly string[];
  /** Dimensions; −1 where one is unknown. */
  shapes(name: string): readonly (readonly number[])[];
}

/** An attribute as model.json has it: proto JSON, so 64-bit integers are strings and strings are base64. */
interface JsonAttr {
  readonly i?: string | number;
  readonly f?: string | number;
  readonly b?: boolean;
  readonly s?: string | readonly number[];
  readonly type?: string;
  readonly func?: { readonly name?: string };
  readonly list?: {
    readonly i?: readonly (string | number)[];
    readonly f?: readonly (string | number)[];
    readonly s?: readonly (string | readonly number[])[];
    readonly type?: readonly string[];
    readonly shape?: readonly { readonly dim?: readonly { readonly size?: string | number }[] }[];
  };
}

/** Reads the attributes of a node of model.json. */
export function readAttrs(op: string, json: Readonly<Record<string, unknown>> = {}): KernelAttrs {
  const attr = (name: string): JsonAttr => json[name] ?? {}; // an absent field reads as the default
  return {
    op,
    int: (name, missing) => Number(attr(name).i ?? missing),
    float: (name, missing) => Number(attr(name).f ?? missing),
    bool: (name, missing) => attr(name).b ?? missing,
    text: (name, missing) => decodeText(attr(name).s) ?? missing,
    type: (name, missing) => attr(name).type ?? missing,
    func: (name) => attr(name).func?.name ?? "",
    numbers: (name) => (attr(name).list?.f ?? attr(name).list?.i ?? []).map(Number),
    texts: (name) => (attr(name).list?.s ?? []).map((text) => decodeText(text) ?? ""),
    types: (name) => attr(name).list?.type ?? [],
    shapes: (name) => (attr(name).list?.shape ?? []).map(({ dim = [] }) => dim.map(({ size = 0 }) => Number(size))),
  };
}

function decodeText(text: string | readonly number[] | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bytes = typeof text === "string" ? Uint8Array.from(atob(text), (char) => char.charCodeAt(0)) : text;
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** What was read of the input at a place; nothing where the graph has no such input. */
export function valuesAt(values: Values, index: number): readonly number[] {
  return values[index] ?? [];
}

/** The dtype that TensorFlow.js computes a TensorFlow type in. Throws `unsupported` where there is none. */
export function computedType(type: string): DataType {
  const dtype = computedTypes[type];
  if (dtype === undefined) throw new InferenceError("unsupported", `no TensorFlow.js tensor holds ${type}`);
  return dtype;
}

const computedTypes: Readonly<Record<string, DataType>> = {
  DT_FLOAT: "float32",
  DT_HALF: "float32",
  DT_BFLOAT16: "float32",
  DT_DOUBLE: "float32",
  DT_INT8: "int32",
  DT_UINT8: "int32",
  DT_INT16: "int32",
  DT_UINT16: "int32",
  DT_INT32: "int32",
  DT_UINT32: "int32",
  DT_INT64: "int32",
  DT_UINT64: "int32",
  DT_BOOL: "bool",
  DT_STRING: "string",
  DT_COMPLEX64: "complex64",
  DT_COMPLEX128: "complex64",
};

/** The same for ops that TensorFlow has of numbers only. */
export function numericType(attrs: KernelAttrs, name: string): Exclude<DataType, "string" | "complex64"> {
  return computedType(attrs.type(name, "DT_FLOAT")) as "float32";
}
