import { allNodes } from "../graph/all-nodes.ts";
import { functionAttrsOf, functionOf, isLoop } from "../graph/control-flow.ts";
import type { DataType } from "../graph/data-type.ts";
import { freeName } from "../graph/free-name.ts";
import type { Attr, Body, Graph, Node, Pass, Port, Shape, TensorRef, TensorValue } from "../graph/graph.ts";
import { type Handles, handlesAmong, handlesIn, type Uses, usesByNode, usesIn, variableOf } from "../graph/handles.ts";
import { checkOrder } from "../graph/order-of-uses.ts";
import { rewiredNode, rewiredPorts } from "../graph/rewired.ts";
import { isWrite, readVariable, variableName, variableOps, writeVariable } from "../graph/variable-access.ts";
import { placeholder } from "../saved-model/graph-def.ts";
import { widen } from "./widen-ports.ts";

/**
 * Makes the variables that a signature changes inputs and outputs of the graph: `y = f(x)` that changes `v` becomes
 * `y, v′ = f(x, v)`. A read takes what the last write before it computed; loops and branches hand the values in and
 * out. Control edges tell the order, so this must come before they are dropped. Throws `unsupported`, naming the
 * variable, where they leave open whether a write comes before or after another use.
 *
 * Variables that are used in a way that isn't known stay as they are, for `checkOps` to refuse.
 */
export const threadState: Pass = (graph) => {
  if (!allNodes(graph).some(isWrite)) return graph;
  const all = variablesOf(graph);
  const uses = usesIn(graph, handlesOf(graph, all));
  const changed = new Map([...all].filter(([name, { value }]) => uses.get(name) === "write" && value !== undefined));
  if (changed.size === 0) return graph;
  const functions = new Map(graph.functions);
  const threading: Threading = { graph: { ...graph, functions }, functions, variables: changed, made: new Map() };
  const { nodes, values, outputs } = thread(threading, handlesOf(graph, changed));
  const inputs: Port[] = [];
  const results: Port[] = [];
  for (const [name, { shape, dtype, value, nodes: aliases }] of changed) {
    const [node = name] = aliases;
    const tensor = { node, output: 0 };
    const port = widen({ key: name, tensor, dtype, shape, ...(value && { initial: value }) });
    for (const alias of aliases) nodes.set(alias, identity(alias, tensor, dtype));
    nodes.set(node, placeholder(port));
    inputs.push(port);
    results.push({ ...port, tensor: values.get(name) ?? tensor });
  }
  return {
    ...graph,
    functions,
    nodes,
    inputs: [...graph.inputs, ...inputs],
    outputs: [...outputs, ...results],
  };
};

/** A variable: its nodes in the graph, under the name that they share. */
interface Variable {
  readonly dtype: DataType;
  readonly shape: Shape;
  readonly value: TensorValue | undefined;
  /** All nodes that are handles of it. */
  readonly nodes: readonly string[];
}

function variablesOf(graph: Graph): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>();
  for (const node of graph.nodes.values()) {
    if (!variableOps.has(node.op)) continue;
    const { shape, dtype } = node.attrs;
    const name = variableName(node);
    const known = variables.get(name);
    variables.set(name, {
      dtype: dtype !== undefined && "type" in dtype ? dtype.type : (node.value?.dtype ?? "DT_INVALID"),
      shape: shape !== undefined && "shape" in shape ? shape.shape : null,
      value: known?.value ?? node.value,
      nodes: [...(known?.nodes ?? []), node.name],
    });
  }
  return variables;
}

function handlesOf(graph: Graph, variables: ReadonlyMap<string, Variable>): Handles {
  const pairs = [...variables].flatMap(([variable, { nodes }]) => nodes.map((node) => [node, variable] as const));
  return handlesAmong(graph, new Map(pairs));
}

/** What is the same wherever state is threaded through. */
interface Threading {
  readonly graph: Graph;
  /** The graph's functions; those that take and return values are added. */
  readonly functions: Map<string, Body>;
  readonly variables: ReadonlyMap<string, Variable>;
  /** The names of the functions that were added, by what they were made of. */
  readonly made: Map<string, string>;
}

interface Threaded {
  readonly nodes: Map<string, Node>;
  readonly outputs: readonly Port[];
  /** What each variable holds at the end. */
  readonly values: ReadonlyMap<string, TensorRef>;
}

/** Rewrites a body so that it computes with the variables' values, which come from their handles' nodes. */
function thread(threading: Threading, handles: Handles): Threaded {
  const { graph, variables } = threading;
  const { body } = handles;
  const uses = usesByNode(graph, handles);
  checkOrder(body, uses, (ref) => variableOf(ref, handles));
  const values = new Map<string, TensorRef>();
  for (const [node, variable] of handles.variables) {
    if (!values.has(variable)) values.set(variable, { node, output: 0 });
  }
  const isTaken = (name: string) => body.nodes.has(name) || nodes.has(name);
  const nodes = new Map<string, Node>();
  const current = (ref: TensorRef): TensorRef => values.get(variableOf(ref, handles) ?? "") ?? ref;
  for (const node of body.nodes.values()) {
    const used: Uses = uses.get(node.name) ?? new Map();
    const [first] = node.inputs;
    // A write may take the value of a variable that it doesn't write to.
    const variable = isWrite(node) ? first && variableOf(first, handles) : [...used.keys()][0];
    const { dtype } = variables.get(variable ?? "") ?? {};
    const now = values.get(variable ?? "");
    if (variable === undefined || dtype === undefined || now === undefined) {
      nodes.set(node.name, rewiredNode(node, current));
      continue;
    }
    if (functionAttrsOf(node).length > 0) {
      const threaded = threadCaller(threading, node, handles, used);
      nodes.set(node.name, rewiredNode(threaded.node, current));
      for (const [name, value] of threaded.values) values.set(name, value);
      continue;
    }
    const given = { ...node, inputs: [...node.inputs.slice(0, 1), ...node.inputs.slice(1).map(current)] };
    const replacements = isWrite(node)
      ? writeVariable(given, now, dtype, isTaken)
      : (readVariable(given, now, dtype, isTaken) ?? [rewiredNode(node, current)]);
    for (const replacement of replacements) nodes.set(replacement.name, replacement);
    if (isWrite(node)) values.set(variable, { node: node.name, output: 0 });
  }
  return { nodes, values, outputs: rewiredPorts(body.outputs, current) };
}

/** A loop or branch whose functions take and return values; after it, `values` are its results. */
function threadCaller(
  threading: Threading,
  node: Node,
  handles: Handles,
  used: Uses,
): { readonly node: Node; readonly values: ReadonlyMap<string, TensorRef> } {
  const { functions, variables, made } = threading;
  const written = [...used].filter(([, use]) => use === "write").map(([name]) => name);
  const attrs: Record<string, Attr> = { ...node.attrs };
  delete attrs.output_shapes; // of the handles
  let results = 0;
  for (const attr of functionAttrsOf(node)) {
    const called = functionOf(node.attrs[attr]) ?? "";
    const body = functions.get(called);
    if (body === undefined) continue;
    const inner = handlesIn(node, body, handles);
    const returned = isLoop(node) ? [] : written;
    // Callers that hand a function the same variables share what is made of it.
    const key = JSON.stringify([called, [...inner.variables], returned]);
    let name = made.get(key);
    if (name === undefined) {
      const own = threadFunction(threading, inner, returned);
      name = freeName(`${node.name}_${attr}_state`.replace(/\W/g, "_"), (taken) => functions.has(taken));
      functions.set(name, own);
      made.set(key, name);
    }
    attrs[attr] = { func: { name, attrs: {} } };
    results = body.outputs.length;
  }
  const first = isLoop(node) ? 0 : 1;
  const variableAt = (place: number) => {
    const input = node.inputs[place];
    return input === undefined ? undefined : variableOf(input, handles);
  };
  const types = (list: Attr | undefined): Attr => {
    const type = list !== undefined && "list" in list ? (list.list.type ?? []) : [];
    const dtypeAt = (place: number) => variables.get(variableAt(place) ?? "")?.dtype;
    return { list: { type: type.map((each, place) => dtypeAt(place + first) ?? each) } };
  };
  const values = new Map<string, TensorRef>();
  if (isLoop(node)) {
    attrs.T = types(attrs.T);
    for (const place of node.inputs.keys()) {
      const variable = variableAt(place);
      if (variable !== undefined && written.includes(variable))
        values.set(variable, { node: node.name, output: place });
    }
    return { node: { ...node, attrs }, values };
  }
  attrs.Tin = types(attrs.Tin);
  const Tout = attrs.Tout !== undefined && "list" in attrs.Tout ? (attrs.Tout.list.type ?? []) : [];
  attrs.Tout = { list: { type: [...Tout, ...written.map((name) => variables.get(name)?.dtype ?? "DT_FLOAT")] } };
  for (const [place, name] of written.entries()) values.set(name, { node: node.name, output: results + place });
  return { node: { ...node, attrs }, values };
}

/** A function that takes values in the place of handles and returns, besides its results, those of `written`. */
function threadFunction(threading: Threading, handles: Handles, written: readonly string[]): Body {
  const { variables } = threading;
  const { body } = handles;
  const { nodes, outputs, values } = thread(threading, handles);
  const inputs = body.inputs.map((port) => {
    const variable = variables.get(handles.variables.get(port.tensor.node) ?? "");
    return variable === undefined ? port : { ...port, dtype: variable.dtype, shape: variable.shape };
  });
  for (const port of inputs)
    if (handles.variables.has(port.tensor.node)) nodes.set(port.tensor.node, placeholder(port));
  const results = written.flatMap((name): readonly Port[] => {
    const { dtype, shape } = variables.get(name) ?? {};
    const tensor = values.get(name);
    return tensor && dtype && shape !== undefined ? [{ key: name, tensor, dtype, shape }] : [];
  });
  return { ...body, nodes, inputs, outputs: [...outputs, ...results] };
}

function identity(name: string, input: TensorRef, dtype: DataType): Node {
  return { name, op: "Identity", inputs: [input], controls: [], attrs: { T: { type: dtype } } };
}
