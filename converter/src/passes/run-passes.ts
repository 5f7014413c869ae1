import type { Graph, Pass } from "../graph/graph.ts";
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

/** Does passes, in order, and records what each did. */
export function runPasses(graph: Graph, passes: readonly Pass[]): PassesRun {
  const firstOps = new Map<string, string>();
  const steps: PassStep[] = [];
  let current = graph;
  let counts = countAll(current, firstOps);
  for (const pass of passes) {
    const next = pass(current);
    if (next === current) continue;
    current = next;
    const after = countAll(current, firstOps);
    const ops = difference(counts, after);
    if (Object.keys(ops).length > 0) {
      steps.push({ pass: passName(pass), nodesBefore: sum(counts), nodesAfter: sum(after), ops });
    }
    counts = after;
  }
  return { graph: current, steps, firstOps };
}

/** How often each op occurs, functions included. */
function countAll(graph: Graph, firstOps: Map<string, string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { nodes } of [graph, ...graph.functions.values()]) {
    for (const { name, op } of nodes.values()) {
      counts.set(op, (counts.get(op) ?? 0) + 1);
      if (!firstOps.has(name)) firstOps.set(name, op);
    }
  }
  return counts;
}

function difference(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Record<string, number> {
  const ops = [...new Set([...before.keys(), ...after.keys()])].sort();
  const changes = ops.map((op) => [op, (after.get(op) ?? 0) - (before.get(op) ?? 0)] as const);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0));
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
