import type { Attr, AttrList, Body, FunctionRef, Graph, Node, Port, Shape, TensorRef } from "../graph/graph.ts";
import { storageOf, weightDTypes, writtenDataType } from "./weight-dtype.ts";

/** A value as JSON has it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The graph as protocol buffers' JSON form of a GraphDef, as TensorFlow.js reads it: 64-bit integers as strings, bytes
 * in base64, fields that are empty left out. Constants keep dtype and shape only; their values are the weights.
 */
export function graphDefToJson(graph: Graph, producer: number): Json {
  const functions = [...graph.functions].map(([name, body]) => functionToJson(name, body));
  return {
    node: [...graph.nodes.values()].map(nodeToJson),
    library: functions.length === 0 ? {} : { function: functions },
    versions: { producer },
  };
}

/**
 * A function as the JSON form of a FunctionDef. Inputs of its nodes are written as in a graph, by the place of the
 * output (`node:1`): TensorFlow's own form (`node:output:1`) TensorFlow.js reads for some ops only.
 */
function functionToJson(name: string, body: Body): Json {
  const inputs = new Set(body.inputs.map(({ tensor }) => tensor.node));
  const outputArg = body.outputs.map(({ dtype }, index) => ({ name: `output_${index}`, type: writtenDataType(dtype) }));
  return {
    signature: {
      name,
      inputArg: body.inputs.map(({ tensor, dtype }) => ({ name: tensor.node, type: writtenDataType(dtype) })),
      outputArg,
    },
    nodeDef: [...body.nodes.values()].filter((node) => !inputs.has(node.name)).map(nodeToJson),
    ret: Object.fromEntries(
      body.outputs.map(({ tensor }, index) => [`output_${index}`, `${tensor.node}:${tensor.output}`]),
    ),
  };
}

/** A port as the JSON form of a TensorInfo. */
export function tensorInfoToJson({ tensor, dtype, shape }: Port): { readonly [key: string]: Json } {
  return { name: `${tensor.node}:${tensor.output}`, dtype, tensorShape: shapeToJson(shape) };
}

/** A node as the JSON form of a NodeDef. */
export function nodeToJson({ name, op, inputs, controls, attrs, value }: Node): Json {
  const input = [...inputs.map(tensorName), ...controls.map((control) => `^${control}`)];
  const attr: Record<string, Json> = {};
  for (const key of Object.keys(attrs).sort()) {
    const isInternal = key.startsWith("_"); // TensorFlow's own notes: placement, origin, shapes it once inferred
    const given = attrs[key];
    if (given !== undefined && !isInternal) attr[key] = attrToJson(given);
  }
  if (value !== undefined) {
    const dtype = weightDTypes[storageOf(value.dtype, `constant "${name}"`).dtype].tensorflow;
    attr.dtype = { type: dtype };
    attr.value = { tensor: { dtype, tensorShape: shapeToJson(value.shape) } };
  }
  return {
    name,
    op,
    ...(input.length === 0 ? {} : { input }),
    ...(Object.keys(attr).length === 0 ? {} : { attr }),
  };
}

/** The first output of a node goes by the node's name alone. */
function tensorName({ node, output }: TensorRef): string {
  return output === 0 ? node : `${node}:${output}`;
}

function attrToJson(attr: Attr): Json {
  if ("s" in attr) return { s: toBase64(attr.s) };
  if ("i" in attr) return { i: String(attr.i) };
  if ("f" in attr) return { f: floatToJson(attr.f) };
  if ("b" in attr) return { b: attr.b };
  if ("type" in attr) return { type: writtenDataType(attr.type) };
  if ("shape" in attr) return { shape: shapeToJson(attr.shape) };
  if ("tensor" in attr) return { tensor: { dtype: attr.tensor.dtype, tensorShape: shapeToJson(attr.tensor.shape) } };
  if ("func" in attr) return { func: functionRefToJson(attr.func) };
  if ("placeholder" in attr) return { placeholder: attr.placeholder };
  return { list: listToJson(attr.list) };
}

function listToJson({ s, i, f, b, type, shape, func }: AttrList): Json {
  return {
    ...(s === undefined ? {} : { s: s.map(toBase64) }),
    ...(i === undefined ? {} : { i: i.map(String) }),
    ...(f === undefined ? {} : { f: f.map(floatToJson) }),
    ...(b === undefined ? {} : { b }),
    ...(type === undefined ? {} : { type: type.map(writtenDataType) }),
    ...(shape === undefined ? {} : { shape: shape.map(shapeToJson) }),
    ...(func === undefined ? {} : { func: func.map(functionRefToJson) }),
  };
}

function functionRefToJson({ name }: FunctionRef): Json {
  return { name };
}

function shapeToJson(shape: Shape): Json {
  if (shape === null) return { unknownRank: true };
  return shape.length === 0 ? {} : { dim: shape.map((size) => ({ size: String(size ?? -1) })) };
}

/** The shortest decimal that is this float32. */
function floatToJson(value: number): Json {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return Number(value.toPrecision(9));
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
