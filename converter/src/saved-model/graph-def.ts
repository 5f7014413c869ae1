import { damaged } from "../damaged.ts";
import { dataTypeFromNumber } from "../graph/data-type.ts";
import { functionNames } from "../graph/function-names.ts";
import type { Body, Graph, Node, Port, TensorRef } from "../graph/graph.ts";
import { outputOffset } from "../ops.ts";
import { createFillBudget, type FillBudget } from "./fill-budget.ts";
import type { LazyProto, Proto } from "./messages.ts";
import { attrNamed, nodeFromProto } from "./node-def.ts";

/**
 * The nodes of a GraphDef that `roots` need and the functions that those name, in the file's order. Nothing else is
 * decoded: much of a SavedModel's graph only saves variables, or is for other signatures. Arguments of functions become
 * `Placeholder` nodes, their results output ports. Throws `data-loss`, naming `where`.
 */
export function graphFromProto({ node, library }: Proto<"GraphDef">, roots: readonly string[], where: string): Graph {
  const budget = createFillBudget(where);
  const protos = protosByName(node, where);
  const nodes = neededNodes([...protos.keys()], roots, where, (name) => {
    const proto = protos.get(name)?.();
    return proto && nodeFromProto(proto, { parse: parseTensorName, where, budget });
  });
  const functions = neededFunctions(library?.function ?? [], [...nodes.values()], where, budget);
  return { nodes, functions, inputs: [], outputs: [], controls: [] };
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

/** The functions that nodes name, and those that the nodes in them name, in the library's order. */
function neededFunctions(
  library: readonly LazyProto[],
  nodes: readonly Node[],
  where: string,
  budget: FillBudget,
): Graph["functions"] {
  const headers = new Map(
    library.map((decode) => {
      const { signature } = decode("FunctionHeader");
      const outputs = signature?.outputArg.map(({ name }) => name) ?? [];
      return [signature?.name ?? "", { decode, outputs }];
    }),
  );
  const bodies = new Map<string, Body>();
  const pending = [...nodes];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const name of functionNames(node)) {
      const header = bodies.has(name) ? undefined : headers.get(name);
      if (header === undefined) continue;
      const body = functionFromProto(header.decode("FunctionDef"), (called) => headers.get(called)?.outputs, {
        where,
        budget,
      });
      bodies.set(name, body);
      for (const inner of body.nodes.values()) pending.push(inner);
    }
  }
  return inOrder(headers.keys(), bodies);
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
    const [node = "", list, index] = text.split(":");
    if (list === undefined) return { node, output: 0 };
    const proto = protos.get(node)?.();
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
    const proto = protos.get(name)?.();
    return proto === undefined ? placeholders.get(name) : nodeFromProto(proto, { parse, where, budget: graph.budget });
  });
  return { nodes, inputs, outputs, controls };
}

/** The number that an attribute is, or how many types it lists. */
function countOf(attr: Proto<"AttrValue"> | undefined): number {
  return attr?.i === undefined ? (attr?.list?.type.length ?? 0) : Number(attr.i);
}

/** Nodes by name, each decoded when it is first asked for; every name must be there once. */
function protosByName(nodes: readonly LazyProto[], where: string): ReadonlyMap<string, () => Proto<"NodeDef">> {
  const protos = new Map<string, () => Proto<"NodeDef">>();
  for (const decode of nodes) {
    const { name } = decode("NodeName");
    if (protos.has(name)) throw damaged(where, `one node "${name}"`, "two");
    let decoded: Proto<"NodeDef"> | undefined;
    protos.set(name, () => (decoded ??= decode("NodeDef")));
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
