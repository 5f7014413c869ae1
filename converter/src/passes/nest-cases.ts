import { allNodes } from "../graph/all-nodes.ts";
import { constant } from "../graph/constant.ts";
import { freeName } from "../graph/free-name.ts";
import type { Attr, Body, Node, Pass, Port, TensorRef } from "../graph/graph.ts";
import { replaceNodes } from "../graph/map-nodes.ts";
import { placeholder } from "../saved-model/graph-def.ts";

/**
 * Turns a choice among several functions into branches: case(i, f, g, h) = if i = 0 then f else (if i = 1 then g else h).
 * As in TensorFlow, an index that is out of range takes the last function.
 */
export const nestCases: Pass = (graph) => {
  if (!allNodes(graph).some(isCase)) return graph;
  const functions = new Map(graph.functions);
  const nested = nest(graph, functions);
  // The map grows while it is walked, by the functions that choose among others.
  for (const [name, body] of functions) functions.set(name, nest(body, functions));
  return { ...graph, ...nested, functions };
};

/** More would nest deeper than TensorFlow.js can run. */
const maxBranches = 40;

/** Functions that choose themselves would fill memory. */
const maxFunctions = 10_000;

function nest(body: Body, functions: Map<string, Body>): Body {
  return replaceNodes(body, (node) => (isCase(node) ? nestCase(body, node, functions) : undefined));
}

function isCase({ op }: Node): boolean {
  return op === "Case" || op === "StatelessCase";
}

function nestCase(body: Body, node: Node, functions: Map<string, Body>): readonly Node[] | undefined {
  const { branches } = node.attrs;
  const names = branches !== undefined && "list" in branches ? (branches.list.func ?? []).map(({ name }) => name) : [];
  const bodies = names.flatMap((name) => functions.get(name) ?? []);
  const [index] = node.inputs;
  if (
    index === undefined ||
    bodies.length < 2 ||
    bodies.length < names.length ||
    bodies.length > maxBranches ||
    functions.size > maxFunctions
  ) {
    return undefined;
  }
  const takeIndex = (each: Body, place: number) => define(functions, `${node.name}/branch_${place}`, withIndex(each));
  const [first, ...others] = bodies.map(takeIndex);
  const [sample] = bodies;
  const last = others.pop();
  if (first === undefined || last === undefined || sample === undefined) return undefined;
  // From the end: each function that chooses needs the name of the one that chooses among what is left.
  let rest = last;
  for (const [place, name] of [...others.entries()].reverse()) {
    rest = define(functions, `${node.name}/from_${place + 1}`, choice(withIndex(sample), name, rest, place + 1));
  }
  const [taken, outputs] = [(name: string) => body.nodes.has(name), node.attrs.Tout ?? { list: {} }];
  const { name, controls, inputs } = node;
  return branch(name, { isTaken: taken, controls, index, inputs, outputs, value: 0, functions: [first, rest] });
}

function define(functions: Map<string, Body>, wanted: string, body: Body): string {
  const name = freeName(wanted, (taken) => functions.has(taken));
  functions.set(name, body);
  return name;
}

/** The function with one more input in front, the index, which it has no use for. */
function withIndex(body: Body): Body {
  const node = freeName("branch_index", (name) => body.nodes.has(name));
  const port: Port = { key: node, tensor: { node, output: 0 }, dtype: "DT_INT32", shape: [] };
  return { ...body, nodes: new Map([[node, placeholder(port)], ...body.nodes]), inputs: [port, ...body.inputs] };
}

/** A function that calls `taken` if its first input is `value`, and `rest` otherwise. */
function choice(sample: Body, taken: string, rest: string, value: number): Body {
  const inputs = sample.inputs.map(({ tensor }) => tensor);
  const names = new Set(inputs.map(({ node }) => node));
  const name = freeName("choice", (candidate) => names.has(candidate));
  const [index = { node: name, output: 0 }] = inputs; // withIndex put it there
  const types: Attr = { list: { type: sample.outputs.map(({ dtype }) => dtype) } };
  const isTaken = (candidate: string) => names.has(candidate);
  const functions = [taken, rest] as const;
  const chosen = branch(name, { isTaken, controls: [], index, inputs, outputs: types, value, functions });
  const nodes = [...sample.inputs.map(placeholder), ...chosen];
  return {
    nodes: new Map(nodes.map((node) => [node.name, node])),
    inputs: sample.inputs,
    outputs: sample.outputs.map((port, output) => ({ ...port, tensor: { node: name, output } })),
    controls: [],
  };
}

/** What a branch on the index is made of. */
interface Choice {
  readonly isTaken: (name: string) => boolean;
  readonly controls: readonly string[];
  readonly index: TensorRef;
  /** What both functions take, the index among it. */
  readonly inputs: readonly TensorRef[];
  readonly outputs: Attr;
  readonly value: number;
  readonly functions: readonly [taken: string, rest: string];
}

/** `if index = value then taken(inputs) else rest(inputs)` */
function branch(name: string, choice: Choice): readonly Node[] {
  const { isTaken, controls, index, inputs, outputs, value, functions } = choice;
  const [taken, rest] = functions;
  const data = new Uint8Array(Int32Array.of(value).buffer);
  const number = constant(freeName(`${name}/number`, isTaken), { kind: "literal", dtype: "DT_INT32", shape: [], data });
  const equal: Node = {
    name: freeName(`${name}/is_${value}`, isTaken),
    op: "Equal",
    inputs: [index, { node: number.name, output: 0 }],
    controls: [],
    attrs: { T: { type: "DT_INT32" } },
  };
  const attrs: Node["attrs"] = {
    then_branch: { func: { name: taken, attrs: {} } },
    else_branch: { func: { name: rest, attrs: {} } },
    Tout: outputs,
  };
  return [
    number,
    equal,
    { name, op: "StatelessIf", inputs: [{ node: equal.name, output: 0 }, ...inputs], controls, attrs },
  ];
}
