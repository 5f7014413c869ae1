import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import { functionAttrsOf, functionOf, isLoop } from "../graph/control-flow.ts";
import { freeName } from "../graph/free-name.ts";
import type { Attr, Attrs, Body, Graph, Node, Pass, Port, TensorRef } from "../graph/graph.ts";
import { replaceNodes } from "../graph/map-nodes.ts";
import { maxNesting, nestedTooDeep } from "../graph/nesting.ts";
import { rewiredTensors } from "../graph/rewired.ts";
import { sourceOf, sourcesIn } from "../graph/source-of.ts";
import { maxGrown } from "./inline-functions.ts";

/**
 * Gives each loop and branch that is left functions of its own, named after it, with what it hands them that never
 * changes (variables, small constants) within them. Their nodes carry the function's name in front: TensorFlow.js
 * looks weights up by name alone, in whichever function. Ops become those without state, which the functions can't
 * have: `checkOps` refuses what changes state, and TensorFlow.js runs `StatelessIf` better than `If`.
 */
export const specialiseFunctions: Pass = (graph) => {
  const functions = new Map<string, Body>();
  const growth: Growth = { functions, functionsLeft: 2000, nodesLeft: maxGrown(graph) };
  const specialised = specialise(graph, graph, growth, 0);
  const isSame = specialised === graph && graph.functions.size === 0;
  return isSame ? graph : { ...graph, ...specialised, functions };
};

/** The functions that are made, and how many more may be: such as use each other twice, thirty deep, would fill memory. */
interface Growth {
  readonly functions: Map<string, Body>;
  functionsLeft: number;
  nodesLeft: number;
}

/** Constants up to this many bytes are copied into functions rather than handed to them. */
const maxConstantBytes = 1024;

function specialise(graph: Graph, body: Body, growth: Growth, depth: number): Body {
  if (depth > maxNesting) throw nestedTooDeep();
  const { functions } = growth;
  const sourceOf = sourcesIn(body);
  const moved = new Map<string, ReadonlyMap<number, TensorRef>>();
  const specialised = replaceNodes(body, (node) => {
    const attrs = functionAttrsOf(node);
    if (attrs.length === 0) return undefined;
    const bodies = attrs.map((attr) => calledBody(graph, node, attr));
    const captures = capturesOf(body, node, bodies, sourceOf);
    if (isLoop(node)) moved.set(node.name, new Map([...captures].map(([index, { tensor }]) => [index, tensor])));
    const names = attrs.map((attr, index) => {
      const name = freeName(`${node.name}_${attr}`.replace(/\W/g, "_"), (taken) => functions.has(taken));
      const own = withCaptures(node, bodies[index] ?? body, captures, isLoop(node) && attr === "body");
      grow(growth, own);
      functions.set(name, own); // taken from here on
      functions.set(name, withPrefix(specialise(graph, own, growth, depth + 1), name));
      return [attr, { func: { name, attrs: {} } }] as const;
    });
    return [withoutInputs(node, new Set(captures.keys()), Object.fromEntries(names))];
  });
  return withoutResults(specialised, moved);
}

function grow(growth: Growth, { nodes }: Body): void {
  growth.functionsLeft -= 1;
  growth.nodesLeft -= nodes.size;
  if (growth.functionsLeft > 0 && growth.nodesLeft > 0) return;
  const message = "functions: too many once each loop and branch has its own";
  throw new InferenceError("unsupported", `${message}; split the model`);
}

function calledBody(graph: Graph, node: Node, attr: string): Body {
  const name = functionOf(node.attrs[attr]) ?? "";
  const body = graph.functions.get(name);
  if (body === undefined) throw damaged(`node "${node.name}"`, `a function "${name}" for its ${attr}`, "none");
  return body;
}

/** A value that a loop or branch takes and that its functions may as well hold. */
interface Capture {
  readonly tensor: TensorRef;
  readonly node: Node;
}

/** What of a node's inputs never changes, by the input's place. */
function capturesOf(
  body: Body,
  node: Node,
  bodies: readonly Body[],
  sourceOf: (ref: TensorRef) => TensorRef,
): ReadonlyMap<number, Capture> {
  const captures = new Map<number, Capture>();
  const first = isLoop(node) ? 0 : 1; // a branch keeps its predicate to itself
  for (const [index, input] of node.inputs.entries()) {
    const source = body.nodes.get(sourceOf(input).node);
    if (index < first || source === undefined || !isFixed(source)) continue;
    if (isLoop(node) && !isInvariant(bodies[1], index)) continue;
    captures.set(index, { tensor: { node: source.name, output: 0 }, node: source });
  }
  return captures;
}

function isFixed({ op, value }: Node): boolean {
  if (op === "VarHandleOp") return true;
  const isSmall =
    value?.kind === "literal" && value.data instanceof Uint8Array && value.data.length <= maxConstantBytes;
  return op === "Const" && isSmall;
}

/** True if a loop's body returns its input `index` as it is. */
function isInvariant(body: Body | undefined, index: number): boolean {
  const [input, output] = [body?.inputs[index], body?.outputs[index]];
  if (body === undefined || input === undefined || output === undefined) return false;
  const source = sourceOf(body, output.tensor);
  return source.node === input.tensor.node && source.output === 0;
}

/** A function with captured nodes in the place of the inputs that were to bring them. */
function withCaptures(caller: Node, body: Body, captures: ReadonlyMap<number, Capture>, returnsInputs: boolean): Body {
  if (captures.size === 0) return body;
  const first = isLoop(caller) ? 0 : 1;
  const nodes = new Map(body.nodes);
  for (const [index, { node }] of captures) {
    const name = body.inputs[index - first]?.tensor.node;
    if (name !== undefined) nodes.set(name, { ...node, name, inputs: [], controls: [] });
  }
  const isKept = (_: Port, place: number) => !captures.has(place + first);
  return {
    ...body,
    nodes,
    inputs: body.inputs.filter(isKept),
    outputs: returnsInputs ? body.outputs.filter(isKept) : body.outputs,
  };
}

/** The loop or branch without the inputs that its functions hold now. */
function withoutInputs(node: Node, places: ReadonlySet<number>, functions: Attrs): Node {
  const first = isLoop(node) ? 0 : 1;
  const keep = (attr: Attr | undefined): Attr => {
    if (attr === undefined || !("list" in attr)) return { list: {} };
    const isKept = (_: unknown, place: number) => !places.has(place + first);
    const { type, shape } = attr.list;
    return { list: { ...(type && { type: type.filter(isKept) }), ...(shape && { shape: shape.filter(isKept) }) } };
  };
  const { Tcond, Tin, Tout, T, output_shapes } = node.attrs;
  const lists: Attrs = isLoop(node)
    ? { T: keep(T), output_shapes: keep(output_shapes) }
    : { ...(Tcond && { Tcond }), Tin: keep(Tin), ...(Tout && { Tout }), ...(output_shapes && { output_shapes }) };
  return {
    ...node,
    op: isLoop(node) ? "StatelessWhile" : "StatelessIf",
    inputs: node.inputs.filter((_, place) => !places.has(place)),
    attrs: { ...lists, ...functions },
  };
}

/** The body with the results that a loop has no longer taken from where they came from, and the others moved up. */
function withoutResults(body: Body, moved: ReadonlyMap<string, ReadonlyMap<number, TensorRef>>): Body {
  return rewiredTensors(body, (ref) => {
    const captures = moved.get(ref.node);
    if (captures === undefined) return ref;
    const before = [...captures.keys()].filter((place) => place < ref.output);
    return captures.get(ref.output) ?? { node: ref.node, output: ref.output - before.length };
  });
}

function withPrefix(body: Body, prefix: string): Body {
  const names = new Map([...body.nodes.keys()].map((name) => [name, `${prefix}/${name}`]));
  const rename = (name: string) => names.get(name) ?? `${prefix}/${name}`;
  const tensor = ({ node, output }: TensorRef): TensorRef => ({ node: rename(node), output });
  const port = (each: Port): Port => ({ ...each, tensor: tensor(each.tensor) });
  const nodes = new Map<string, Node>();
  for (const node of body.nodes.values()) {
    const [name, inputs, controls] = [rename(node.name), node.inputs.map(tensor), node.controls.map(rename)];
    nodes.set(name, { ...node, name, inputs, controls });
  }
  return {
    nodes,
    inputs: body.inputs.map(port),
    outputs: body.outputs.map(port),
    controls: body.controls.map(rename),
  };
}
