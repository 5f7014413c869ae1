import type { Body, Graph, Node, Shape } from "../graph/graph.ts";
import { firstOutput, type Surroundings, surroundingsOf } from "../graph/rule.ts";
import { kernelOps } from "./list-fused.ts";

/** A node as a picture shows it. */
export interface OutlineNode {
  readonly name: string;
  /** The ops that its kernel does one after another. */
  readonly ops: readonly string[];
  /** The nodes whose results it takes, constants aside. */
  readonly inputs: readonly string[];
  /** The shapes of the constants that it takes. */
  readonly weights: readonly (readonly number[])[];
  /** The shape of its first output, as far as it is known. */
  readonly shape: Shape;
}

/** A graph, or a function that it calls, as a picture shows it. */
export interface GraphOutline {
  /** The function's name; empty for the graph itself. */
  readonly name: string;
  readonly nodes: readonly OutlineNode[];
  readonly outputs: readonly string[];
}

/** What is needed to draw a graph and its functions. */
export function outlineGraph(graph: Graph): readonly GraphOutline[] {
  const bodies: readonly (readonly [string, Body])[] = [["", graph], ...graph.functions];
  return bodies.map(([name, body]) => {
    const around = surroundingsOf(body);
    const outputs = [...new Set(body.outputs.map(({ tensor }) => tensor.node))];
    return { name, outputs, nodes: [...body.nodes.values()].flatMap((node) => outlineNode(node, body, around)) };
  });
}

function outlineNode(node: Node, { nodes }: Body, { shapeOf }: Surroundings): readonly OutlineNode[] {
  if (node.op === "Const") return [];
  const sources = [...new Set(node.inputs.map((input) => input.node))].map((name) => nodes.get(name));
  const inputs = sources.flatMap((source) => (source === undefined || source.op === "Const" ? [] : [source.name]));
  const weights = sources.flatMap((source) => (source?.op === "Const" && source.value ? [source.value.shape] : []));
  return [{ name: node.name, ops: kernelOps(node), inputs, weights, shape: shapeOf(firstOutput(node)) }];
}
