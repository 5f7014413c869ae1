import { freeName } from "./free-name.ts";
import type { Body, Graph, Node, Pass, TensorRef } from "./graph.ts";
import { inferShape } from "./infer-shape.ts";
import { type Facts, hasKnownValues, type KnownValues, knownValues } from "./known-values.ts";
import { mappedValues } from "./mapped.ts";
import { sourceNames } from "./source-names.ts";
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

/** The pass that applies `rewrite` once to each node of the graph and its functions, in their order. */
export function rule(rewrite: Rule): Pass {
  return (graph: Graph) => {
    const main = rewriteBody(graph, rewrite);
    const functions = mappedValues(graph.functions, (body) => rewriteBody(body, rewrite));
    return main === graph && functions === graph.functions ? graph : { ...main, functions };
  };
}

/** The tensor that is a node's first output. */
export function firstOutput({ name }: Node): TensorRef {
  return { node: name, output: 0 };
}

/** The body itself where the rule doesn't apply, so that passes that find nothing cost little. */
function rewriteBody<B extends Body>(body: B, rewrite: Rule): B {
  const walk = walkOf(body);
  const around = surroundings(body, walk);
  let rewritten: Map<string, Node> | undefined;
  const count = (node: Node, by: number) => {
    const uses = walk.uses();
    for (const name of sourceNames(node)) uses.set(name, (uses.get(name) ?? 0) + by);
  };
  const drop = (names: readonly string[]) => {
    const pending = [...names];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const node = walk.nodes.get(name);
      if (node === undefined || (walk.uses().get(name) ?? 0) > 0) continue;
      rewritten?.delete(name);
      count(node, -1);
      for (const source of sourceNames(node)) pending.push(source);
    }
  };
  for (const [name, node] of body.nodes) {
    walk.at = name;
    const root = rewritten === undefined ? node : rewritten.get(name);
    const replacement = root?.controls.length === 0 ? rewrite(root, around) : undefined;
    if (root === undefined || replacement === undefined) continue;
    walk.uses(); // before they change
    rewritten ??= new Map(body.nodes);
    walk.nodes = rewritten;
    const others = replacement.map(({ name }) => walk.nodes.get(name)).filter((node) => node !== undefined);
    const replaced = new Set([root, ...others]);
    for (const made of replacement) {
      rewritten.set(made.name, made);
      count(made, 1);
      around.forget(made.name);
    }
    for (const gone of replaced) count(gone, -1);
    drop([...replaced].flatMap(sourceNames));
  }
  return rewritten === undefined ? body : { ...body, nodes: topologicalOrder(rewritten) };
}

/** A way through a body's nodes, while some are rewritten. */
interface Walk {
  /** The nodes as they are now. */
  nodes: Body["nodes"];
  /** The node that it is at; undefined behind the last one. */
  at: string | undefined;
  /** How often each node's outputs are taken: counted once someone asks, as most rules look at a node's op first. */
  uses(): Map<string, number>;
}

function walkOf(body: Body): Walk {
  let counted: Map<string, number> | undefined;
  return { nodes: body.nodes, at: undefined, uses: () => (counted ??= countUses(body)) };
}

function countUses({ nodes, inputs, outputs, controls }: Body): Map<string, number> {
  const uses = new Map<string, number>();
  const count = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const { tensor } of [...inputs, ...outputs]) count(tensor.node);
  for (const name of controls) count(name);
  for (const node of nodes.values()) {
    for (const input of node.inputs) count(input.node);
    for (const control of node.controls) count(control);
  }
  return uses;
}

/** What a rule would see of a graph or a function that stays as it is. */
export function surroundingsOf(body: Body): Surroundings {
  return surroundings(body, walkOf(body));
}

/**
 * What a rule sees from where `walk` is. Once it asks for a shape, those of all nodes before that one are found, from
 * the front, so that no chain of nodes is too long to follow.
 */
function surroundings({ nodes, inputs, outputs }: Body, walk: Walk): Surroundings & { forget(name: string): void } {
  const outputNames = new Set(outputs.map(({ tensor }) => tensor.node));
  const shapes = new Map(inputs.map(({ tensor, shape }) => [tensor.node, shape]));
  const values = new Map<string, KnownValues>();
  const nodeOf = (ref: TensorRef | undefined) => (ref === undefined ? undefined : walk.nodes.get(ref.node));
  const facts: Facts = {
    constantOf(ref) {
      const node = nodeOf(ref);
      return node?.op === "Const" ? node.value : undefined;
    },
    shapeOf(ref) {
      if (ref?.output !== 0) return null;
      const known = shapes.get(ref.node);
      const node = known === undefined ? nodeOf(ref) : undefined;
      if (node === undefined) return known ?? null;
      shapes.set(ref.node, null); // for a loop, which leads back here
      const shape = inferShape(node, facts);
      shapes.set(ref.node, shape);
      return shape;
    },
    valuesOf(ref) {
      if (ref?.output !== 0) return undefined;
      const known = values.get(ref.node);
      const node = known === undefined && !values.has(ref.node) ? nodeOf(ref) : undefined;
      if (node === undefined || !hasKnownValues(node)) return known;
      values.set(ref.node, undefined);
      const found = knownValues(node, facts);
      values.set(ref.node, found);
      return found;
    },
  };
  const names = nodes.keys();
  let next = names.next();
  const catchUp = () => {
    for (; !next.done && next.value !== walk.at; next = names.next()) {
      const ref = { node: next.value, output: 0 };
      facts.shapeOf(ref);
      facts.valuesOf(ref);
    }
  };
  return {
    nodeOf,
    only(ref, ops) {
      const node = nodeOf(ref);
      if (node === undefined || ref?.output !== 0 || !ops.has(node.op) || node.controls.length > 0) return undefined;
      return walk.uses().get(ref.node) === 1 && !outputNames.has(ref.node) ? node : undefined;
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
    usesOf: (name) => walk.uses().get(name) ?? 0,
    isOutput: (name) => outputNames.has(name),
    freeName: (wanted) => freeName(wanted, (name) => walk.nodes.has(name)),
    forget(name) {
      shapes.delete(name);
      values.delete(name);
    },
  };
}
