import { Graph, layout } from "@dagrejs/dagre";
import type { Shape } from "../../graph/graph.ts";
import type { GraphOutline, OutlineNode } from "../outline-graph.ts";
import { type Box, foldOutline } from "./fold-outline.ts";
import { type Html, html, nothing } from "./html.ts";
import { type Family, families, familyOf } from "./op-family.ts";

/** A graph as a picture, from its inputs at the top to its outputs at the bottom; `id` names it on its page. */
export function graphPicture(outline: GraphOutline, id: string): Html {
  const { boxes, isFolded, leftOut } = foldOutline(outline);
  const labels = boxes.map((box) => labelOf(box, outline));
  const { width, height, places, lines } = arrange(boxes, labels);
  const shown = new Set(labels.map(({ family }) => family));
  const what = `${outline.nodes.length} nodes, ${isFolded ? `drawn as ${boxes.length} boxes, one for each scope of their names` : "constants aside"}`;
  const missing =
    leftOut === 0
      ? nothing
      : html` <strong>${leftOut} more boxes are left out</strong>, from the end: they are too many to lay out.`;
  return html`<p>${what}.${missing}</p>
<ul class="legend">${familyNames.filter((family) => shown.has(family)).map((family) => html`<li><span class="swatch ${family}"></span>${families[family]}</li>`)}</ul>
<fieldset class="zoom"><legend>Size</legend>${zooms.map(([name, percent]) => html`<label><input type="radio" name="zoom-${id}" class="zoom-${name}"${percent === 100 ? html` checked` : nothing}>${percent} %</label>`)}</fieldset>
<div class="picture" tabindex="0" role="group" aria-label="the graph as a picture, to scroll">
<svg viewBox="0 0 ${width} ${height}" style="--width:${width}px" role="img" aria-label="${what}">
<defs><marker id="arrow-${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
<g class="lines">${lines.map((line) => html`<path d="${line}" marker-end="url(#arrow-${id})"/>`)}</g>
${labels.map((label, index) => boxMarkup(label, places[index] ?? { x: 0, y: 0 }))}
</svg></div>`;
}

const familyNames = Object.keys(families) as readonly Family[]; // the table's own keys
const zooms = [
  ["quarter", 25],
  ["half", 50],
  ["full", 100],
  ["double", 200],
] as const;

/** What a box says. */
interface Label {
  readonly family: Family;
  readonly heading: string;
  readonly line: string;
  readonly title: string;
  readonly width: number;
}

const [lineHeight, characterWidth, padding, longest] = [16, 7.4, 18, 44];

function labelOf({ name, nodes }: Box, { outputs }: GraphOutline): Label {
  const [node] = nodes;
  const isOutput = nodes.some((each) => outputs.includes(each.name));
  const suffix = isOutput ? " → output" : "";
  if (node === undefined || nodes.length > 1)
    return label(
      "scope",
      `${name.split("/").at(-1) ?? ""}${suffix}`,
      `${nodes.length} nodes`,
      `${name}: ${countsOf(nodes)}`,
    );
  const weights = node.weights.map(sizes).filter((text) => text !== "");
  const title = `${node.name}${weights.length === 0 ? "" : `; weights ${weights.join(", ")}`}`;
  return label(familyOf(node), `${node.ops.join(" + ")}${suffix}`, sizes(node.shape), title);
}

function sizes(shape: Shape): string {
  return shape?.map((size) => size ?? "?").join("×") ?? "";
}

function label(family: Family, heading: string, line: string, title: string): Label {
  const [shownHeading, shownLine] = [shorten(heading), shorten(line)];
  const width = Math.max(shownHeading.length, shownLine.length) * characterWidth + padding;
  return {
    family,
    heading: shownHeading,
    line: shownLine,
    title: `${families[family]}: ${title}`,
    width: Math.round(width),
  };
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join("")}…` : text;
}

function countsOf(nodes: readonly OutlineNode[]): string {
  const counts = new Map<string, number>();
  for (const { ops } of nodes) for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].map(([op, count]) => `${count} × ${op}`).join(", ");
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where the middles of the boxes are, and the lines between them. */
interface Arrangement {
  readonly width: number;
  readonly height: number;
  readonly places: readonly Point[];
  readonly lines: readonly string[];
}

const boxHeight = 2 * lineHeight + 8;

function arrange(boxes: readonly Box[], labels: readonly Label[]): Arrangement {
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
  for (const [index, { width }] of labels.entries()) graph.setNode(String(index), { width, height: boxHeight });
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

function rounded(length: number): number {
  return Math.round(length * 10) / 10;
}

function boxMarkup({ family, heading, line, title, width }: Label, { x, y }: Point): Html {
  const text = (words: string, kind: string, at: number) =>
    words === "" ? nothing : html`<text class="${kind}" x="${rounded(x)}" y="${rounded(at)}">${words}</text>`;
  return html`<g class="box ${family}"><title>${title}</title>
<rect x="${rounded(x - width / 2)}" y="${rounded(y - boxHeight / 2)}" width="${width}" height="${boxHeight}" rx="6"/>
${text(heading, "heading", line === "" ? y + 4 : y - 4)}${text(line, "shape", y + 12)}</g>
`;
}
