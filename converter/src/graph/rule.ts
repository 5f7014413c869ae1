import { freeName } from "./free-name.ts";
import type { Body, Graph, Node, Pass, Shape, TensorRef } from "./graph.ts";
import { inferShape } from "./infer-shape.ts";
import { type Facts, type KnownValues, knownValues } from "./known-values.ts";
import { topologicalOrder } from "./topological-order.ts";

/** What a rule sees of the graph around a node. */
export interface Surroundings extends Facts {
  /** The node that computes this tensor. */
  nodeOf(ref: TensorRef | undefined): Node | undefined;
  /** The same if its op is one of `ops`, the tensor its first output, and no one else takes it. */
  only(ref: TensorRef | undefined, ops: ReadonlySet<string>): Node | undefined;
  /** How often a node's outputs are taken, by nodes or as the graph's. */
  usesOf(name: string): number;
  isOutput(name: string): boolean;
  freeName(wanted: string): string;
}

/**
 * The nodes that take `root`'s place, one of them under its name, or undefined where the rule doesn't apply. Other
 * nodes keep what they compute; those that are left without use go.
 */
export type Rule = (root: Node, around: Surroundings) => readonly Node[] | undefined;

/** The pass that applies `rewrite` once to each node of the graph and its functions, sources before what they feed. */
export function rule(rewrite: Rule): Pass {
  return (graph: Graph) => {
    const main = rewriteBody(graph, rewrite);
    const functions = new Map([...graph.functions].map(([name, body]) => [name, rewriteBody(body, rewrite)]));
    const isSame = main === graph && [...functions].every(([name, body]) => body === graph.functions.get(name));
    return isSame ? graph : { ...graph, ...main, functions };
  };
}

/** The tensor that is a node's first output. */
export function firstOutput({ name }: Node): TensorRef {
  return { node: name, output: 0 };
}

/** The body itself where no rule applies, so that passes that find nothing cost little. */
function rewriteBody(body: Body, rewrite: Rule): Body {
  const ordered = topologicalOrder(body);
  let nodes = ordered;
  let rewritten: Map<string, Node> | undefined;
  let counted: Map<string, number> | undefined;
  const uses = () => (counted ??= countUses({ ...body, nodes })); // most rules look at a node's op first
  const around = surroundings(body, () => nodes, uses);
  const count = (node: Node, by: number) => {
    for (const name of sourcesOf(node)) uses().set(name, (uses().get(name) ?? 0) + by);
  };
  const drop = (names: readonly string[]) => {
    const pending = [...names];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const node = nodes.get(name);
      if (node === undefined || (uses().get(name) ?? 0) > 0) continue;
      rewritten?.delete(name);
      count(node, -1);
      for (const source of sourcesOf(node)) pending.push(source);
    }
  };
  for (const name of ordered.keys()) {
    const root = nodes.get(name);
    const isFree = root !== undefined && root.controls.length === 0;
    const replacement = isFree ? rewrite(root, around) : undefined;
    if (root === undefined || replacement === undefined) {
      around.pass(name);
      continue;
    }
    uses(); // before they change
    rewritten ??= new Map(ordered);
    nodes = rewritten;
    const replaced = [root, ...replacement.map((node) => nodes.get(node.name)).filter((node) => node !== undefined)];
    for (const node of replacement) {
      rewritten.set(node.name, node);
      count(node, 1);
      around.forget(node.name);
    }
    for (const node of replacement) around.pass(node.name);
    for (const node of new Set(replaced)) count(node, -1);
    drop(replaced.flatMap(sourcesOf));
  }
  if (rewritten === undefined) return ordered === body.nodes ? body : { ...body, nodes: ordered };
  return { ...body, nodes: topologicalOrder({ ...body, nodes: rewritten }) };
}

function sourcesOf({ inputs, controls }: Node): readonly string[] {
  return [...inputs.map(({ node }) => node), ...controls];
}

function countUses({ nodes, inputs, outputs, controls }: Body): Map<string, number> {
  const uses = new Map<string, number>();
  const ports = [...inputs, ...outputs].map(({ tensor }) => tensor.node);
  for (const name of [...ports, ...controls, ...[...nodes.values()].flatMap(sourcesOf)]) {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  return uses;
}

/** What a rule would see of a graph or a function that stays as it is. */
export function surroundingsOf(body: Body): Surroundings {
  const nodes = topologicalOrder(body);
  const uses = countUses(body);
  const around = surroundings(
    body,
    () => nodes,
    () => uses,
  );
  for (const name of nodes.keys()) around.pass(name);
  return around;
}

/**
 * What a rule sees of `nodes` and `uses`, which change as rules apply. `pass` notes a node that has been passed: once a
 * shape is asked for, those of all these are found, from the front, so that no chain of nodes is too long to follow.
 */
function surroundings(
  { inputs, outputs }: Body,
  nodes: () => ReadonlyMap<string, Node>,
  uses: () => ReadonlyMap<string, number>,
): Surroundings & { pass(name: string): void; forget(name: string): void } {
  const ports = new Map(inputs.map(({ tensor, shape }) => [tensor.node, shape]));
  const outputNames = new Set(outputs.map(({ tensor }) => tensor.node));
  const shapes = new Map<string, Shape>();
  const values = new Map<string, KnownValues>();
  let passed: string[] = [];
  const nodeOf = (ref: TensorRef | undefined) => (ref === undefined ? undefined : nodes().get(ref.node));
  const facts: Facts = {
    constantOf(ref) {
      const node = nodeOf(ref);
      return node?.op === "Const" ? node.value : undefined;
    },
    shapeOf(ref) {
      const node = nodeOf(ref);
      if (ref === undefined || node === undefined || ref.output !== 0) return null;
      const port = ports.get(ref.node);
      if (port !== undefined) return port;
      if (!shapes.has(ref.node)) {
        shapes.set(ref.node, null); // for a loop, which leads back here
        shapes.set(ref.node, inferShape(node, facts));
      }
      return shapes.get(ref.node) ?? null;
    },
    valuesOf(ref) {
      const node = nodeOf(ref);
      if (ref === undefined || node === undefined || ref.output !== 0) return undefined;
      if (!values.has(ref.node)) {
        values.set(ref.node, undefined);
        values.set(ref.node, knownValues(node, facts));
      }
      return values.get(ref.node);
    },
  };
  const catchUp = () => {
    for (const name of passed) {
      facts.shapeOf({ node: name, output: 0 });
      facts.valuesOf({ node: name, output: 0 });
    }
    passed = [];
  };
  return {
    nodeOf,
    only(ref, ops) {
      const node = nodeOf(ref);
      const isOnly = ref?.output === 0 && uses().get(ref.node) === 1 && !outputNames.has(ref.node);
      return isOnly && node !== undefined && ops.has(node.op) && node.controls.length === 0 ? node : undefined;
    },
    constantOf: facts.constantOf,
    shapeOf(ref) {
      catchUp();
      return facts.shapeOf(ref);
    },
    valuesOf(ref) {
      catchUp();
      return facts.valuesOf(ref);
    },
    usesOf: (name) => uses().get(name) ?? 0,
    isOutput: (name) => outputNames.has(name),
    freeName: (wanted) => freeName(wanted, (name) => nodes().has(name)),
    pass(name) {
      passed.push(name);
    },
    forget(name) {
      shapes.delete(name);
      values.delete(name);
    },
  };
}
