import { Graph, layout } from "@dagrejs/dagre";
import type { Box } from "./fold-outline.ts";

/** A place in a picture, in pixels from its left and its top. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where the middles of the boxes are, and the lines between them. */
export interface Arrangement {
  readonly width: number;
  readonly height: number;
  readonly places: readonly Point[];
  readonly lines: readonly string[];
}

/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Places boxes in layers, each below those whose results it takes. */
export function arrangeBoxes(boxes: readonly Box[], sizes: readonly Size[]): Arrangement {
  const graph = new Graph();
  graph.setGraph({
    rankdir: "TB",
    nodesep: 18,
    ranksep: 26,
    edgesep: 12,
    marginx: 8,
    marginy: 8,
    ranker: "tight-tree",
  });
  // By number: names are the model's, and may be those of an object's own properties.
  const ids = new Map(boxes.map(({ name }, index) => [name, String(index)]));
  for (const [index, size] of sizes.entries()) graph.setNode(String(index), { ...size });
  for (const [index, { inputs }] of boxes.entries()) {
    for (const input of inputs) graph.setEdge(ids.get(input) ?? String(index), String(index), {});
  }
  layout(graph);
  // What layout fills in; the library's own types are any.
  const { width = 0, height = 0 }: { width?: number; height?: number } = graph.graph();
  const places: readonly Point[] = boxes.map((_, index) => graph.node(String(index)));
  const edges: readonly { readonly points: readonly Point[] }[] = graph.edges().map((edge: object) => graph.edge(edge));
  const lines = edges.map(({ points }) => curve(points));
  return { width: Math.ceil(finite(width)), height: Math.ceil(finite(height)), places, lines };
}

/** Nothing to draw has no size. */
function finite(size: number): number {
  return Number.isFinite(size) ? size : 0;
}

/** A smooth line from the first point to the last, past those between. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (first === undefined || last === undefined) return "";
  const bends = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] ?? last;
    const end = next === last ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    return `Q${place(point)} ${place(end)}`;
  });
  return `M${place(first)}${bends.length === 0 ? `L${place(last)}` : bends.join("")}`;
}

function place({ x, y }: Point): string {
  return `${rounded(x)} ${rounded(y)}`;
}

/** A length that takes few characters. */
export function rounded(length: number): number {
  return Math.round(length * 10) / 10;
}
