import { freeName } from "../graph/free-name.ts";
import type { LiteralValue, Node, Pass, TensorRef } from "../graph/graph.ts";
import { replaceNodes } from "../graph/map-nodes.ts";

/** The integers narrower than 32 bits: how many values they have, and the smallest. */
const narrowTypes: Readonly<Record<string, { readonly count: number; readonly least: number }>> = {
  DT_INT8: { count: 2 ** 8, least: -(2 ** 7) },
  DT_INT16: { count: 2 ** 16, least: -(2 ** 15) },
  DT_UINT8: { count: 2 ** 8, least: 0 },
  DT_UINT16: { count: 2 ** 16, least: 0 },
};

/**
 * TensorFlow.js has no narrow integers, only int32, so a value that doesn't fit is wrapped around by arithmetic:
 * cast(x) = (int32(x) − least) mod count + least
 */
export const narrowCasts: Pass = (graph) => {
  const taken = new Set<string>();
  const isTaken = (name: string) => graph.nodes.has(name) || taken.has(name);
  return replaceNodes(graph, (node) => {
    const type = node.attrs.DstT !== undefined && "type" in node.attrs.DstT ? node.attrs.DstT.type : "";
    const narrow = node.op === "Cast" ? narrowTypes[type] : undefined;
    if (narrow === undefined) return undefined;
    const nodes: Node[] = [];
    const add = (suffix: string, made: Omit<Node, "name" | "controls">): TensorRef => {
      const name = freeName(`${node.name}/${suffix}`, isTaken);
      taken.add(name);
      nodes.push({ ...made, name, controls: [] });
      return { node: name, output: 0 };
    };
    const constant = (suffix: string, value: number) =>
      add(suffix, { op: "Const", inputs: [], attrs: { dtype: { type: "DT_INT32" } }, value: int32(value) });
    const least = constant("least", narrow.least);
    const count = constant("count", narrow.count);
    const attrs = { T: { type: "DT_INT32" } } as const;
    const whole = add("int32", { ...node, attrs: { ...node.attrs, DstT: { type: "DT_INT32" } } });
    const shifted = add("shifted", { op: "Sub", inputs: [whole, least], attrs });
    const wrapped = add("wrapped", { op: "FloorMod", inputs: [shifted, count], attrs });
    return [...nodes, { name: node.name, op: "AddV2", inputs: [wrapped, least], controls: node.controls, attrs }];
  });
};

function int32(value: number): LiteralValue {
  return { kind: "literal", dtype: "DT_INT32", shape: [], data: new Uint8Array(Int32Array.of(value).buffer) };
}
