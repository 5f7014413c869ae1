import { damaged } from "../damaged.ts";
import { dataTypeFromNumber } from "../graph/data-type.ts";
import { functionNames } from "../graph/function-names.ts";
import type { Body, Graph, Node, Port, TensorRef } from "../graph/graph.ts";
import { outputOffset } from "../ops.ts";
import { createFillBudget, type FillBudget } from "./fill-budget.ts";
import type { LazyProto, Proto } from "./messages.ts";
import { attrNamed, nodeFromProto } from "./node-def.ts";

/** Reads the nodes of a GraphDef that `roots` need and the functions that those name, in the file's order. */
export type ReadGraph = (roots: readonly string[]) => Graph;

/**
 * A reader of parts of a GraphDef. Nothing is decoded but what is asked for, as much of a SavedModel's graph only saves
 * variables or is for other signatures, and nothing twice. Arguments of functions become `Placeholder` nodes, their
 * results output ports. Throws `data-loss`, naming `where`.
 */
export function graphReader({ node, library }: Proto<"GraphDef">, where: string): ReadGraph {
  const budget = createFillBudget(where);
  const protos = protosByName(node, where);
  const parse = (text: string): TensorRef => {
    const { node, output } = parseTensorName(text);
    return { node: protos.get(node)?.name ?? node, output };
  };
  const nodeNamed = remembered((name) => {
    const proto = protos.get(name);
    return proto && nodeFromProto(proto.decode(), { name: proto.name, parse, where, budget });
  });
  const functions = functionReader(library?.function ?? [], where, budget);
  return (roots) => {
    const nodes = neededNodes([...protos.keys()], roots, where, nodeNamed);
    return { nodes, functions: functions(nodes), inputs: [], outputs: [], controls: [] };
  };
}

/** The same of a name as before, once there is something. */
function remembered<T>(find: (name: string) => T | undefined): (name: string) => T | undefined {
  const found = new Map<string, T>();
  return (name) => {
    const known = found.get(name);
    if (known !== undefined) return known;
    const value = find(name);
    if (value !== undefined) found.set(name, value);
    return value;
  };
}

/** A tensor as GraphDefs and signatures name it: `name`, or `name:1` for a second output. */
export function parseTensorName(text: string): TensorRef {
  const colon = text.lastIndexOf(":");
  if (colon < 0 || !/^\d+$/.test(text.slice(colon + 1))) return { node: text, output: 0 };
  return { node: text.slice(0, colon), output: Number(text.slice(colon + 1)) };
}

/** The node that an input port is fed through. */
export function placeholder({ tensor, dtype, shape }: Port): Node {
  const attrs = { dtype: { type: dtype }, shape: { shape } };
  return { name: tensor.node, op: "Placeholder", inputs: [], controls: [], attrs };
}

/** Reads the functions that nodes name, and those that the nodes in them name, in the library's order. */
function functionReader(
  library: readonly LazyProto[],
  where: string,
  budget: FillBudget,
): (nodes: Body["nodes"]) => Graph["functions"] {
  const headers = new Map(
    library.map((decode) => {
      const { signature } = decode("FunctionHeader");
      const outputs = signature?.outputArg.map(({ name }) => name) ?? [];
      return [signature?.name ?? "", { decode, outputs }];
    }),
  );
  const outputsOf = (name: string) => headers.get(name)?.outputs;
  const bodyNamed = remembered((name) => {
    const proto = headers.get(name)?.decode("FunctionDef");
    return proto && functionFromProto(proto, outputsOf, { where, budget });
  });
  return (nodes) => {
    const bodies = new Map<string, Body>();
    const pending = headers.size === 0 ? [] : [nodes];
    for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
      for (const name of [...from.values()].flatMap(functionNames)) {
        const body = bodies.has(name) ? undefined : bodyNamed(name);
        if (body === undefined) continue;
        bodies.set(name, body);
        pending.push(body.nodes);
      }
    }
    return inOrder(headers.keys(), bodies);
  };
}

function functionFromProto(
  { signature, nodeDef, ret, controlRet }: Proto<"FunctionDef">,
  outputsOf: (functionName: string) => readonly string[] | undefined,
  graph: { readonly where: string; readonly budget: FillBudget },
): Body {
  const where = `${graph.where}, function ${signature?.name}`;
  const protos = protosByName(nodeDef, where);
  /** In a function, `name:list:1` is the second tensor of the node's output `list`; an argument is just `name`. */
  const parse = (text: string): TensorRef => {
    const [name = "", list, index] = text.split(":");
    const source = protos.get(name);
    const node = source?.name ?? name;
    if (list === undefined) return { node, output: 0 };
    const proto = source?.decode();
    const op = proto?.op ?? "";
    const called = outputsOf(op);
    const lengthOf = (name: string) => countOf(proto && attrNamed(proto, name));
    const offset = called === undefined ? outputOffset(op, list, lengthOf) : Math.max(0, called.indexOf(list));
    return { node, output: offset + Number(index ?? 0) };
  };
  const inputs: Port[] = (signature?.inputArg ?? []).map(({ name, type }) => ({
    key: name,
    tensor: { node: name, output: 0 },
    dtype: dataTypeFromNumber(type),
    shape: null,
  }));
  const outputs: Port[] = (signature?.outputArg ?? []).map(({ name, type }) => {
    const tensor = ret.get(name);
    if (tensor === undefined) throw damaged(where, `a result for "${name}"`, "none");
    return { key: name, tensor: parse(tensor), dtype: dataTypeFromNumber(type), shape: null };
  });
  const controls = [...controlRet.values()];
  const placeholders = new Map<string, Node>();
  for (const port of inputs) {
    if (protos.has(port.key) || placeholders.has(port.key)) throw damaged(where, `one node "${port.key}"`, "two");
    placeholders.set(port.key, placeholder(port));
  }
  const roots = [...[...inputs, ...outputs].map(({ tensor }) => tensor.node), ...controls];
  const nodes = neededNodes([...placeholders.keys(), ...protos.keys()], roots, where, (name) => {
    const proto = protos.get(name);
    if (proto === undefined) return placeholders.get(name);
    return nodeFromProto(proto.decode(), { name: proto.name, parse, where, budget: graph.budget });
  });
  return { nodes, inputs, outputs, controls };
}

/** The number that an attribute is, or how many types it lists. */
function countOf(attr: Proto<"AttrValue"> | undefined): number {
  return attr?.i === undefined ? (attr?.list?.type.length ?? 0) : Number(attr.i);
}

/** A node that is decoded when it is first asked for. */
interface NamedProto {
  /** The one string for its name, so that whoever looks a node up needn't compare letters. */
  readonly name: string;
  decode(): Proto<"NodeDef">;
}

/** Nodes by name; every name must be there once. */
function protosByName(nodes: readonly LazyProto[], where: string): ReadonlyMap<string, NamedProto> {
  const protos = new Map<string, NamedProto>();
  for (const decode of nodes) {
    const { name } = decode("NodeName");
    if (protos.has(name)) throw damaged(where, `one node "${name}"`, "two");
    let decoded: Proto<"NodeDef"> | undefined;
    protos.set(name, { name, decode: () => (decoded ??= decode("NodeDef")) });
  }
  return protos;
}

/** Those of the nodes in `names` that `roots` need, in that order. Every node that another one takes from must exist. */
function neededNodes(
  names: readonly string[],
  roots: readonly string[],
  where: string,
  nodeNamed: (name: string) => Node | undefined,
): Body["nodes"] {
  const needed = new Map<string, Node>();
  const pending = roots.map((name) => ({ name, by: "" }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { name, by } = next;
    if (needed.has(name)) continue;
    const node = nodeNamed(name);
    if (node === undefined && by === "") continue;
    if (node === undefined) throw damaged(`${where}, node "${by}"`, `an input node "${name}"`, "none");
    needed.set(name, node);
    for (const input of node.inputs) pending.push({ name: input.node, by: name });
    for (const control of node.controls) pending.push({ name: control, by: name });
  }
  return inOrder(names, needed);
}

function inOrder<V>(names: Iterable<string>, values: ReadonlyMap<string, V>): ReadonlyMap<string, V> {
  const ordered = new Map<string, V>();
  for (const name of names) {
    const value = values.get(name);
    if (value !== undefined) ordered.set(name, value);
  }
  return ordered;
}
