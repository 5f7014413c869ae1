import type { Shape } from "../../graph/graph.ts";
import type { GraphOutline, OutlineNode } from "../outline-graph.ts";
import { arrangeBoxes, type Point, rounded } from "./arrange-boxes.ts";
import { type Box, foldOutline } from "./fold-outline.ts";
import { type Html, html, nothing } from "./html.ts";
import { type Family, families, familyOf } from "./op-family.ts";

/** A graph as a picture, from its inputs at the top to its outputs at the bottom; `id` names it on its page. */
export function graphPicture(outline: GraphOutline, id: string): Html {
  const { boxes, isFolded, leftOut } = foldOutline(outline);
  const labels = boxes.map((box) => labelOf(box, outline));
  const { width, height, places, lines } = arrangeBoxes(
    boxes,
    labels.map(({ width }) => ({ width, height: boxHeight })),
  );
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

/** In pixels, but for the longest line, which is in characters. */
const [boxHeight, characterWidth, padding, longest] = [40, 7.4, 18, 44];

function labelOf({ name, nodes }: Box, { outputs }: GraphOutline): Label {
  const [node] = nodes;
  const isOutput = nodes.some((each) => outputs.includes(each.name));
  const suffix = isOutput ? " → output" : "";
  if (node === undefined || nodes.length > 1) {
    const scope = name.split("/").at(-1) ?? "";
    return label("scope", `${scope}${suffix}`, `${nodes.length} nodes`, `${name}: ${countsOf(nodes)}`);
  }
  const weights = node.weights.map(sizes).filter((text) => text !== "");
  const title = `${node.name}${weights.length === 0 ? "" : `; weights ${weights.join(", ")}`}`;
  const work = node.ops[0] === "Placeholder" ? `input ${node.name}` : node.ops.join(" + ");
  return label(familyOf(node), `${work}${suffix}`, sizes(node.shape), title);
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

function boxMarkup({ family, heading, line, title, width }: Label, { x, y }: Point): Html {
  const text = (words: string, kind: string, at: number) =>
    words === "" ? nothing : html`<text class="${kind}" x="${rounded(x)}" y="${rounded(at)}">${words}</text>`;
  return html`<g class="box ${family}"><title>${title}</title>
<rect x="${rounded(x - width / 2)}" y="${rounded(y - boxHeight / 2)}" width="${width}" height="${boxHeight}" rx="6"/>
${text(heading, "heading", line === "" ? y + 4 : y - 4)}${text(line, "shape", y + 12)}</g>
`;
}
