import { consumersOf } from "../graph/consumers-of.ts";
import { copyRegion } from "../graph/copy-region.ts";
import { freeName } from "../graph/free-name.ts";
import type { Body, Graph, Node, Port, TensorRef } from "../graph/graph.ts";
import { rewired } from "../graph/rewired.ts";
import { placeholder } from "../saved-model/graph-def.ts";

/**
 * The graph with one of TensorFlow 1's loops as a `StatelessWhile` of functions, or undefined where none is left that
 * has the form of tf.while_loop and no loop or branch of TensorFlow 1 within it.
 */
export function raiseLoop(graph: Graph): Graph | undefined {
  const consumers = consumersOf(graph);
  for (const node of graph.nodes.values()) {
    if (node.op !== "LoopCond") continue;
    const loop = loopOf(graph, node, consumers);
    const raised = loop && raise(graph, loop);
    if (raised !== undefined) return raised;
  }
  return undefined;
}

/** What one round hands to the next: `Merge(Enter, NextIteration)`, `Switch` to the body or to `Exit`. */
interface Variable {
  readonly enter: Node;
  readonly merge: Node;
  readonly next: Node;
  /** The switch after the condition; none where nothing takes the variable but the condition. */
  readonly choice: Node | undefined;
  readonly exits: readonly Node[];
}

interface Loop {
  readonly condition: Node;
  readonly variables: readonly Variable[];
}

function loopOf(graph: Graph, condition: Node, consumers: ReadonlyMap<string, readonly Node[]>): Loop | undefined {
  const merges = new Set<Node>();
  const choices = new Map<string, Node>();
  for (const node of consumers.get(condition.name) ?? []) {
    if (node.op !== "Switch" || node.inputs[1]?.node !== condition.name) continue;
    const merge = graph.nodes.get(node.inputs[0]?.node ?? "");
    if (merge?.op !== "Merge" || choices.has(merge.name)) return undefined;
    merges.add(merge);
    choices.set(merge.name, node);
  }
  // A variable that only the condition takes has no switch.
  for (const name of ancestors(graph, condition)) {
    const node = graph.nodes.get(name);
    if (node?.op === "Merge") merges.add(node);
  }
  const variables: Variable[] = [];
  for (const merge of merges) {
    const [enter, next] = merge.inputs.map((input) => graph.nodes.get(input.node));
    if (enter?.op !== "Enter" || next?.op !== "NextIteration" || merge.inputs.length !== 2) return undefined;
    const choice = choices.get(merge.name);
    const exits = choice === undefined ? [] : (consumers.get(choice.name) ?? []).filter(({ op }) => op === "Exit");
    variables.push({ enter, merge, next, choice, exits });
  }
  return { condition, variables };
}

/** What is before a node up to the ends of its loop. */
function ancestors({ nodes }: Body, start: Node): ReadonlySet<string> {
  const seen = new Set(start.inputs.map(({ node }) => node));
  for (const name of seen) {
    const node = nodes.get(name);
    if (node === undefined || /^(Merge|Enter|Switch)$/.test(node.op)) continue;
    for (const { node: source } of node.inputs) seen.add(source);
  }
  return seen;
}

function raise(graph: Graph, { condition, variables }: Loop): Graph | undefined {
  const isTaken = (name: string) => graph.nodes.has(name);
  const name = freeName(condition.name.replace(/\/?LoopCond$/, "") || "while", isTaken);
  const ports = variables.map(({ enter }, place): Port => argument(`${name}/variable_${place}`, enter, isTaken));
  const invariants = new Map<string, Port>();
  const given = (entrances: ReadonlyMap<string, Port>) => (ref: TensorRef) => {
    const node = graph.nodes.get(ref.node);
    const port = entrances.get(`${ref.node}:${ref.output}`) ?? invariants.get(ref.node);
    if (port !== undefined || node?.op !== "Enter" || node.attrs.is_constant === undefined) return port?.tensor;
    if (!("b" in node.attrs.is_constant && node.attrs.is_constant.b)) return undefined;
    const invariant = argument(`${name}/invariant_${invariants.size}`, node, isTaken);
    invariants.set(node.name, invariant);
    return invariant.tensor;
  };
  const entrances = (of: (variable: Variable) => string) =>
    new Map(variables.flatMap((variable, place) => (ports[place] ? [[of(variable), ports[place]]] : [])));
  const test = copyRegion(graph, condition.inputs.slice(0, 1), given(entrances(({ merge }) => `${merge.name}:0`)));
  const results = variables.flatMap(({ next }) => next.inputs);
  const round = copyRegion(graph, results, given(entrances(({ choice }) => `${choice?.name}:1`)));
  if (test === undefined || round === undefined || results.length !== variables.length) return undefined;
  const inputs = [...ports, ...invariants.values()];
  const functions = new Map(graph.functions);
  const define = (kind: string, body: Body) => {
    const wanted = freeName(`${name}_${kind}`.replace(/\W/g, "_"), (taken) => functions.has(taken));
    functions.set(wanted, body);
    return { func: { name: wanted, attrs: {} } };
  };
  const arguments_ = inputs.map((port) => placeholder(port));
  const functionOf = (nodes: readonly Node[], outputs: readonly Port[]): Body => ({
    nodes: new Map([...arguments_, ...nodes].map((node) => [node.name, node])),
    inputs,
    outputs,
    controls: [],
  });
  const goesOn: Port = {
    key: "goes_on",
    tensor: test.results[0] ?? { node: "", output: 0 },
    dtype: "DT_BOOL",
    shape: [],
  };
  const outputs = inputs.map((port, place) => ({ ...port, tensor: round.results[place] ?? port.tensor }));
  const enters = [
    ...variables.map(({ enter }) => enter),
    ...[...invariants.keys()].flatMap((each) => graph.nodes.get(each) ?? []),
  ];
  const loop: Node = {
    name,
    op: "StatelessWhile",
    inputs: enters.flatMap((enter) => enter.inputs),
    controls: [...new Set(enters.flatMap(({ controls }) => controls))],
    attrs: {
      cond: define("cond", functionOf(test.nodes, [goesOn])),
      body: define("body", functionOf(round.nodes, outputs)),
      T: { list: { type: inputs.map(({ dtype }) => dtype) } },
    },
  };
  const places = new Map(variables.flatMap(({ exits }, place) => exits.map((exit) => [exit.name, place] as const)));
  const nodes = new Map([...graph.nodes, [name, loop]]);
  return rewired({ ...graph, functions, nodes }, (ref) => {
    const output = places.get(ref.node);
    return output === undefined ? ref : { node: name, output };
  });
}

function argument(wanted: string, { attrs }: Node, isTaken: (name: string) => boolean): Port {
  const node = freeName(wanted, isTaken);
  const dtype = attrs.T !== undefined && "type" in attrs.T ? attrs.T.type : "DT_FLOAT";
  return { key: node, tensor: { node, output: 0 }, dtype, shape: null };
}
