import { sourcesFirst } from "../../graph/topological-order.ts";
import type { GraphOutline, OutlineNode } from "../outline-graph.ts";

/** A box of a picture: one node, or several that lie in one scope of names. */
export interface Box {
  readonly name: string;
  readonly nodes: readonly OutlineNode[];
  /** The boxes whose results it takes. */
  readonly inputs: readonly string[];
}

/** What of a graph is drawn. */
export interface FoldedOutline {
  readonly boxes: readonly Box[];
  /** True if some boxes are several nodes. */
  readonly isFolded: boolean;
  /** How many boxes there would be besides. */
  readonly leftOut: number;
}

/** What a layout may cost: boxes, and the layers that their connections cross, which it fills in one by one. */
const budget = 6000;
const maxBoxes = 400;
/** No one nests scopes so deep; a name of slashes alone would take its time. */
const maxDepth = 30;

/**
 * A graph as so many boxes as can be laid out and looked at: its nodes, or for a large graph the scopes of their
 * names, as deep as possible. What is too much even so is left out, from the end.
 */
export function foldOutline({ nodes }: GraphOutline): FoldedOutline {
  const depths = nodes.reduce((most, { name }) => Math.max(most, Math.min(maxDepth, name.split("/").length)), 1);
  for (let depth = depths; depth > 0; depth--) {
    const boxes = groupByScope(nodes, depth);
    if (!isTooMuch(boxes)) return { boxes, isFolded: boxes.length < nodes.length, leftOut: 0 };
  }
  const boxes = groupByScope(nodes, 1);
  let shown = firstOf(boxes, maxBoxes);
  while (isTooMuch(shown)) shown = firstOf(boxes, Math.floor(shown.length / 2));
  return { boxes: shown, isFolded: boxes.length < nodes.length, leftOut: boxes.length - shown.length };
}

function groupByScope(nodes: readonly OutlineNode[], depth: number): readonly Box[] {
  const scopeOf = (name: string) => name.split("/").slice(0, depth).join("/");
  const scopes = new Map(nodes.map(({ name }) => [name, scopeOf(name)]));
  const groups = new Map<string, OutlineNode[]>();
  for (const node of nodes) {
    const scope = scopeOf(node.name);
    const group = groups.get(scope);
    if (group === undefined) groups.set(scope, [node]);
    else group.push(node);
  }
  const boxes = [...groups].map(([name, group]): [string, Box] => {
    const sources = group.flatMap(({ inputs }) => inputs.flatMap((input) => scopes.get(input) ?? []));
    return [name, { name, nodes: group, inputs: [...new Set(sources)].filter((source) => source !== name) }];
  });
  return [...sourcesFirst(new Map(boxes), ({ inputs }) => inputs).values()];
}

function firstOf(boxes: readonly Box[], count: number): readonly Box[] {
  const shown = boxes.slice(0, count);
  const names = new Set(shown.map(({ name }) => name));
  return shown.map((box) => ({ ...box, inputs: box.inputs.filter((input) => names.has(input)) }));
}

function isTooMuch(boxes: readonly Box[]): boolean {
  if (boxes.length > maxBoxes) return true;
  const layers = new Map<string, number>();
  let cost = boxes.length;
  for (const { name, inputs } of boxes) {
    const layer = inputs.reduce((deepest, input) => Math.max(deepest, (layers.get(input) ?? -1) + 1), 0);
    layers.set(name, layer);
    cost += inputs.reduce((sum, input) => sum + layer - (layers.get(input) ?? layer), 0);
  }
  return cost > budget;
}
