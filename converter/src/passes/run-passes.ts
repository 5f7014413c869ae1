import type { Body, Graph, Pass } from "../graph/graph.ts";
import { mappedValues } from "../graph/mapped.ts";
import { topologicalOrder } from "../graph/topological-order.ts";
import { passName } from "./index.ts";

/** What one pass did to a graph. */
export interface PassStep {
  readonly pass: string;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** How many more nodes of each op there are afterwards; constants too. */
  readonly ops: Readonly<Record<string, number>>;
}

/** An optimised graph, and how it came about. */
export interface PassesRun {
  readonly graph: Graph;
  /** The passes that changed how often an op occurs, in order. */
  readonly steps: readonly PassStep[];
  /** The op with which each name first appeared: a node that takes another's place may have its name. */
  readonly firstOps: ReadonlyMap<string, string>;
}

/** Does passes, in order, on nodes that are in order, and records what each did. */
export function runPasses(graph: Graph, passes: readonly Pass[]): PassesRun {
  const firstOps = new Map<string, string>();
  const steps: PassStep[] = [];
  let current = inOrder(graph);
  let counts = countBodies(current, firstOps, new Map());
  const unchanged = new Map<Pass, Graph>(); // by each pass: it would find nothing to do in that graph again
  for (const pass of passes) {
    const changed = unchanged.get(pass) === current ? current : pass(current);
    if (changed === current) unchanged.set(pass, current);
    if (changed === current) continue;
    const next = inOrder(changed, current);
    const after = countBodies(next, firstOps, counts);
    const [opsBefore, opsAfter] = [total(current, counts), total(next, after)];
    const ops = difference(opsBefore, opsAfter);
    if (Object.keys(ops).length > 0) {
      steps.push({ pass: passName(pass), nodesBefore: sum(opsBefore), nodesAfter: sum(opsAfter), ops });
    }
    [current, counts] = [next, after];
  }
  return { graph: current, steps, firstOps };
}

/** The graph with the nodes of each of its bodies in order, as those that it has of `known` are. */
function inOrder(graph: Graph, known?: Graph): Graph {
  const ordered = new Set(known === undefined ? [] : bodiesOf(known).map(({ nodes }) => nodes));
  const order = <B extends Body>(body: B): B => {
    const nodes = ordered.has(body.nodes) ? body.nodes : topologicalOrder(body.nodes);
    return nodes === body.nodes ? body : { ...body, nodes };
  };
  const functions = mappedValues(graph.functions, order);
  return order(functions === graph.functions ? graph : { ...graph, functions });
}

function bodiesOf(graph: Graph): readonly Body[] {
  return [graph, ...graph.functions.values()];
}

/** How often each op occurs. */
type Counts = ReadonlyMap<string, number>;

/** How often each op occurs in each body, by the body's nodes; `known` tells of those that are as they were. */
function countBodies(
  graph: Graph,
  firstOps: Map<string, string>,
  known: ReadonlyMap<Body["nodes"], Counts>,
): ReadonlyMap<Body["nodes"], Counts> {
  return new Map(bodiesOf(graph).map(({ nodes }) => [nodes, known.get(nodes) ?? countNodes(nodes, firstOps)]));
}

function countNodes(nodes: Body["nodes"], firstOps: Map<string, string>): Counts {
  const counts = new Map<string, number>();
  for (const { name, op } of nodes.values()) {
    counts.set(op, (counts.get(op) ?? 0) + 1);
    if (!firstOps.has(name)) firstOps.set(name, op);
  }
  return counts;
}

function total(graph: Graph, counts: ReadonlyMap<Body["nodes"], Counts>): Counts {
  const all = new Map<string, number>();
  for (const { nodes } of bodiesOf(graph)) {
    for (const [op, count] of counts.get(nodes) ?? []) all.set(op, (all.get(op) ?? 0) + count);
  }
  return all;
}

function difference(before: Counts, after: Counts): Record<string, number> {
  const ops = [...new Set([...before.keys(), ...after.keys()])].sort();
  const changes = ops.map((op) => [op, (after.get(op) ?? 0) - (before.get(op) ?? 0)] as const);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0));
}

function sum(counts: Counts): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
