import { type Context, type Contexts, contextsOf, isSameContext, sideOf } from "../graph/branch-contexts.ts";
import { constant } from "../graph/constant.ts";
import { consumersOf } from "../graph/consumers-of.ts";
import { functionAttrsOf } from "../graph/control-flow.ts";
import { copyRegion, type Region } from "../graph/copy-region.ts";
import { freeName } from "../graph/free-name.ts";
import type { Graph, Node, Port, TensorRef } from "../graph/graph.ts";
import { int32List } from "../graph/literal.ts";
import { outputDataType } from "../graph/output-data-type.ts";
import { rewired } from "../graph/rewired.ts";
import { isWrite } from "../graph/variable-access.ts";
import { placeholder } from "../saved-model/graph-def.ts";

/**
 * The graph with one of TensorFlow 1's branches, all results of one tf.cond, as a `StatelessIf` of functions, or
 * undefined where none is left of which it is sure what it does. A `Merge` of tensors that are all there is its first
 * input: TensorFlow takes whichever comes first.
 */
export function raiseBranch(graph: Graph): Graph | undefined {
  const { order, contexts } = contextsOf(graph);
  const branches = new Map<string, Choice[]>();
  for (const merge of order.values()) {
    if (merge.op !== "Merge" || merge.inputs.length < 2) continue;
    const sides = merge.inputs.map((input) => contexts.of(input));
    if (sides.every((side) => isSameContext(side, sides[0]))) return replaceMerge(graph, merge, merge.inputs[0]);
    const choice = choiceOf(merge, sides);
    if (choice === undefined) continue;
    const key = JSON.stringify([choice.predicate, choice.outer]);
    const others = branches.get(key) ?? [];
    branches.set(key, others);
    if (!waitsFor(order, merge, new Set(others.map((other) => other.merge.name)))) others.push(choice);
  }
  const consumers = consumersOf(graph);
  for (const choices of branches.values()) {
    const raised = raise(graph, choices, contexts, consumers);
    if (raised !== undefined) return raised;
  }
  return undefined;
}

/** A merge of what is on the two sides of a predicate. */
interface Choice {
  readonly merge: Node;
  readonly predicate: TensorRef;
  /** Where the branch itself is. */
  readonly outer: readonly string[];
  /** Which of the merge's inputs is on the false side, and which on the true one. */
  readonly places: readonly [whenFalse: number, whenTrue: number];
}

function choiceOf(merge: Node, sides: readonly Context[]): Choice | undefined {
  const [a, b] = sides;
  if (a === undefined || b === undefined || sides.length > 2) return undefined;
  const onlyA = [...a].filter((each) => !b.has(each));
  const onlyB = [...b].filter((each) => !a.has(each));
  const [first, second] = [onlyA[0], onlyB[0]];
  if (first === undefined || second === undefined || onlyA.length + onlyB.length > 2) return undefined;
  const [node, output, side] = JSON.parse(first) as [string, number, number | string]; // as `sideOf` wrote it
  if (typeof side === "string" || second !== sideOf({ node, output }, 1 - side)) return undefined;
  const outer = [...a].filter((each) => b.has(each)).sort();
  return { merge, predicate: { node, output }, outer, places: side === 0 ? [0, 1] : [1, 0] };
}

function waitsFor(order: ReadonlyMap<string, Node>, { name }: Node, wanted: ReadonlySet<string>): boolean {
  if (wanted.size === 0) return false;
  const seen = new Set([name]);
  // The set grows while it is walked, by what its nodes take.
  for (const each of seen) {
    if (wanted.has(each)) return true;
    const { inputs = [], controls = [] } = order.get(each) ?? {};
    for (const source of [...inputs.map((input) => input.node), ...controls]) seen.add(source);
  }
  return false;
}

function raise(
  graph: Graph,
  choices: readonly Choice[],
  contexts: Contexts,
  consumers: ReadonlyMap<string, readonly Node[]>,
): Graph | undefined {
  const [first] = choices;
  if (first === undefined) return undefined;
  const { predicate } = first;
  const isTaken = (name: string) => graph.nodes.has(name);
  const name = freeName(`${first.merge.name}/cond`, isTaken);
  const merges = new Set(choices.map(({ merge }) => merge));
  const captures = new Map<string, { readonly port: Port; readonly tensor: TensorRef }>();
  const capture = (tensor: TensorRef): TensorRef => {
    const key = sideOf(tensor, 0);
    const known = captures.get(key);
    if (known !== undefined) return known.port.tensor;
    const node = freeName(`${name}/input_${captures.size}`, isTaken);
    const dtype = outputDataType(graph, tensor) ?? "DT_FLOAT";
    const port: Port = { key: node, tensor: { node, output: 0 }, dtype, shape: null };
    captures.set(key, { port, tensor });
    return port.tensor;
  };
  const regions = [0, 1].map((side) => {
    const here = sideOf(predicate, side);
    const given = (ref: TensorRef): TensorRef | undefined => {
      if (!contexts.of(ref).has(here)) return capture(ref);
      // A switch on this predicate brings something in from outside.
      const [data] = graph.nodes.get(ref.node)?.op === "Switch" ? (graph.nodes.get(ref.node)?.inputs ?? []) : [];
      return data === undefined || contexts.ofNode(ref.node).has(here) ? undefined : capture(data);
    };
    const tensors = choices.flatMap(({ merge, places }) => merge.inputs[places[side] ?? 0] ?? []);
    return copyRegion(graph, tensors, given, (control) => contexts.ofNode(control).has(here));
  });
  const [otherwise, then] = regions;
  if (otherwise === undefined || then === undefined) return undefined;
  // What has an effect mustn't be done in this branch and again for something else that takes its result.
  const inside = new Set([...otherwise.nodes, ...then.nodes].map((node) => node.name));
  const isShared = (node: Node) =>
    (consumers.get(node.name) ?? []).some((consumer) => !inside.has(consumer.name) && !merges.has(consumer));
  if ([...otherwise.nodes, ...then.nodes].some((node) => hasEffect(node) && isShared(node))) return undefined;
  const dtypes = choices.map(({ merge }) => outputDataType(graph, { node: merge.name, output: 0 }) ?? "DT_FLOAT");
  // Which of its inputs a merge took, where someone asks.
  const taken = [
    ...[...graph.nodes.values()].flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ tensor }) => tensor),
  ];
  const indexed = choices.filter(({ merge }) => taken.some((ref) => ref.node === merge.name && ref.output === 1));
  const functions = new Map(graph.functions);
  const inputs = [...captures.values()].map(({ port }) => port);
  const define = (kind: string, { nodes, results }: Region, side: 0 | 1) => {
    const wanted = freeName(`${name}_${kind}`.replace(/\W/g, "_"), (taken) => functions.has(taken));
    const index = indexed.map(({ merge, places }) =>
      constant(freeName(`${merge.name}/value_index`, isTaken), { ...int32List([places[side]]), shape: [] }),
    );
    const all = [...inputs.map((port) => placeholder(port)), ...nodes, ...index];
    const tensors = [...results, ...index.map(({ name }) => ({ node: name, output: 0 }))];
    const outputs = tensors.map(
      (tensor, place): Port => ({
        key: `${place}`,
        tensor,
        dtype: dtypes[place] ?? "DT_INT32",
        shape: null,
      }),
    );
    functions.set(wanted, { nodes: new Map(all.map((node) => [node.name, node])), inputs, outputs, controls: [] });
    return { func: { name: wanted, attrs: {} } };
  };
  const branch: Node = {
    name,
    op: "StatelessIf",
    inputs: [predicate, ...[...captures.values()].map(({ tensor }) => tensor)],
    controls: [
      ...new Set([...otherwise.controls, ...then.controls, ...[...merges].flatMap(({ controls }) => controls)]),
    ],
    attrs: {
      then_branch: define("then", then, 1),
      else_branch: define("else", otherwise, 0),
      Tin: { list: { type: inputs.map(({ dtype }) => dtype) } },
      Tout: { list: { type: [...dtypes, ...indexed.map(() => "DT_INT32" as const)] } },
    },
  };
  const merged = choices.map(({ merge }) => merge.name);
  // What was to run for its effect runs as part of the branch.
  const controls = [...new Set(graph.controls.map((control) => (inside.has(control) ? name : control)))];
  const indices = indexed.map(({ merge }) => merge.name);
  const nodes = new Map([...graph.nodes, [name, branch]]);
  return rewired({ ...graph, functions, nodes, controls }, (ref) => {
    if (!merged.includes(ref.node)) return ref;
    const output = ref.output === 0 ? merged.indexOf(ref.node) : merged.length + indices.indexOf(ref.node);
    return { node: name, output };
  });
}

/** True for a node that must run exactly once. */
function hasEffect(node: Node): boolean {
  return isWrite(node) || functionAttrsOf(node).length > 0 || /Random|Multinomial|Dropout/.test(node.op);
}

/** A merge that always gives the same one of its inputs. */
function replaceMerge(graph: Graph, merge: Node, input: TensorRef | undefined): Graph {
  const nodes = new Map(graph.nodes);
  const name = freeName(`${merge.name}/value_index`, (taken) => nodes.has(taken));
  nodes.set(name, constant(name, { ...int32List([0]), shape: [] }));
  const T = merge.attrs.T ?? { type: "DT_FLOAT" };
  nodes.set(merge.name, { ...merge, op: "Identity", inputs: input === undefined ? [] : [input], attrs: { T } });
  return rewired({ ...graph, nodes }, (ref) =>
    ref.node === merge.name && ref.output === 1 ? { node: name, output: 0 } : ref,
  );
}
