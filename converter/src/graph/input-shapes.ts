import { InferenceError } from "@nearside/core";
import type { Graph, Port, Shape } from "./graph.ts";
import { surroundingsOf } from "./rule.ts";

/** Shapes for inputs by their names, `null` for a size that stays open. */
export type InputShapes = Readonly<Record<string, readonly (number | null)[]>>;

/**
 * The graph with inputs of these shapes. What follows from them is left to the passes.
 * Throws `invalid-argument` for an input that there isn't and a shape that contradicts the model's.
 */
export function withInputShapes(graph: Graph, shapes: InputShapes, where: string): Graph {
  const names = graph.inputs.map(({ key }) => key);
  const unknown = Object.keys(shapes).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const there = names.map((name) => JSON.stringify(name)).join(", ") || "none";
    throw new InferenceError(
      "invalid-argument",
      `${where}: it has no input ${JSON.stringify(unknown)}; it has ${there}`,
    );
  }
  const nodes = new Map(graph.nodes);
  const inputs = graph.inputs.map((port) => {
    const given = Object.hasOwn(shapes, port.key) ? shapes[port.key] : undefined;
    const node = nodes.get(port.tensor.node);
    if (given === undefined || node === undefined) return port;
    const shape = narrowed(port, given, `${where}: input "${port.key}"`);
    nodes.set(node.name, { ...node, attrs: { ...node.attrs, shape: { shape } } });
    return { ...port, shape };
  });
  return { ...graph, nodes, inputs };
}

/** The graph with as much of its outputs' shapes as follows from its inputs'. */
export function withOutputShapes(graph: Graph): Graph {
  const { shapeOf } = surroundingsOf(graph);
  const outputs = graph.outputs.map((port) => ({ ...port, shape: merged(port.shape, shapeOf(port.tensor)) }));
  return { ...graph, outputs };
}

function narrowed({ shape }: Port, given: readonly (number | null)[], where: string): Shape {
  const isSize = (size: number | null) => size === null || (Number.isSafeInteger(size) && size >= 0);
  const isKept = (size: number | null, axis: number) => size === null || size === (given[axis] ?? size);
  const fits = shape === null || (shape.length === given.length && shape.every(isKept));
  if (fits && given.every(isSize)) return merged(given, shape);
  const advice = "give each size that the model leaves open, and the others as they are";
  throw new InferenceError(
    "invalid-argument",
    `${where}: expected a shape like ${text(shape)}, got ${text(given)}; ${advice}`,
  );
}

/** The sizes of the first that are known, and those of the second otherwise. */
function merged(shape: Shape, other: Shape): Shape {
  if (shape === null || other === null) return shape ?? other;
  return shape.length === other.length ? shape.map((size, axis) => size ?? other[axis] ?? null) : shape;
}

function text(shape: Shape): string {
  return `[${shape === null ? "…" : shape.map((size) => size ?? "?").join(",")}]`;
}
