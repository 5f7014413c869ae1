import type {
  Attr,
  Attrs,
  Body,
  Graph,
  LiteralValue,
  Node,
  Port,
  StoredValue,
  TensorValue,
} from "../src/graph/graph.ts";
import { parseTensorName } from "../src/saved-model/graph-def.ts";

/** A node whose inputs are written as TensorFlow writes them: `a`, `a:1`, `^a` for a control input. */
export function node(
  name: string,
  op: string,
  inputs: readonly string[] = [],
  rest: { attrs?: Attrs; value?: TensorValue } = {},
): Node {
  return {
    name,
    op,
    inputs: inputs.filter((input) => !input.startsWith("^")).map(parseTensorName),
    controls: inputs.filter((input) => input.startsWith("^")).map((input) => input.slice(1)),
    attrs: {},
    ...rest,
  };
}

/** A graph with the `Placeholder` nodes among `nodes` as its inputs and these outputs, each its own key. */
export function graph(
  nodes: readonly Node[],
  outputs: readonly string[],
  functions: Readonly<Record<string, Body>> = {},
): Graph {
  return { ...body(nodes, outputs), functions: new Map(Object.entries(functions)) };
}

/** The same for a function. */
export function body(nodes: readonly Node[], outputs: readonly string[], controls: readonly string[] = []): Body {
  return {
    nodes: new Map(nodes.map((each) => [each.name, each])),
    inputs: nodes.filter(({ op }) => op === "Placeholder").map(({ name, attrs }) => port(name, attrs.shape)),
    outputs: outputs.map((name) => port(name)),
    controls,
  };
}

/** A call of a function. */
export function call(name: string, functionName: string, inputs: readonly string[]): Node {
  return node(name, "StatefulPartitionedCall", inputs, { attrs: { f: { func: { name: functionName, attrs: {} } } } });
}

/** A loop over its inputs. */
export function loop(
  name: string,
  inputs: readonly string[],
  functions: { readonly cond: string; readonly body: string },
): Node {
  const attrs = {
    cond: { func: { name: functions.cond, attrs: {} } },
    body: { func: { name: functions.body, attrs: {} } },
  };
  return node(name, "StatelessWhile", inputs, { attrs });
}

/** A scalar int32. */
export function int32(value: number): LiteralValue {
  return { kind: "literal", dtype: "DT_INT32", shape: [], data: new Uint8Array(Int32Array.of(value).buffer) };
}

/** A scalar float32. */
export function scalar(value: number): LiteralValue {
  return { kind: "literal", dtype: "DT_FLOAT", shape: [], data: new Uint8Array(Float32Array.of(value).buffer) };
}

/** A value that lies in the checkpoint. */
export function stored(key: string, shape: readonly number[] = []): StoredValue {
  return { kind: "stored", dtype: "DT_FLOAT", shape, key, slice: null };
}

/** A float32 of this shape whose elements are all the same. */
export function filled(value: number, shape: readonly number[]): LiteralValue {
  const count = shape.reduce((product, size) => product * size, 1);
  return { ...scalar(0), shape, data: new Uint8Array(new Float32Array(count).fill(value).buffer) };
}

/** A list of int32. */
export function integers(...values: readonly number[]): LiteralValue {
  const data = new Uint8Array(Int32Array.from(values).buffer);
  return { kind: "literal", dtype: "DT_INT32", shape: [values.length], data };
}

/** A `Const` node. */
export function constantNode(name: string, value: TensorValue): Node {
  return node(name, "Const", [], { attrs: { dtype: { type: value.dtype } }, value });
}

/** A text as an attribute. */
export function text(value: string): Attr {
  return { s: new TextEncoder().encode(value) };
}

function port(tensor: string, shape?: Attr): Port {
  const known = shape !== undefined && "shape" in shape ? shape.shape : [];
  return { key: tensor, tensor: parseTensorName(tensor), dtype: "DT_FLOAT", shape: known };
}
