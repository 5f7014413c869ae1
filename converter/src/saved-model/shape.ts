import type { Shape } from "../graph/graph.ts";
import type { Proto } from "./messages.ts";

/** A shape as the graph has it; −1 and an unknown rank become `null`, an absent shape is a scalar's. */
export function shapeFromProto(shape: Proto<"TensorShapeProto"> | undefined): Shape {
  if (shape === undefined) return [];
  if (shape.unknownRank) return null;
  return shape.dim.map(({ size }) => (size < 0 ? null : size));
}
