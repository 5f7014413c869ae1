import { expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { shapeLookups } from "./shape-lookups.ts";

const lookUp = (shape: readonly null[]) =>
  graph(
    [
      node("keys", "Placeholder", [], { attrs: { shape: { shape } } }),
      node("table", "HashTableV2"),
      node("unknown", "Placeholder"),
      node("y", "LookupTableFindV2", ["table", "keys", "unknown"]),
    ],
    ["y"],
  );

test("shapeLookups gives what is found the shape of the keys", () => {
  const after = shapeLookups(lookUp([null, null]));
  expect(after.nodes.get("y")).toMatchObject({ op: "Reshape", inputs: [{ node: "y/found" }, { node: "y/shape" }] });
  expect(after.nodes.get("y/shape")).toMatchObject({ op: "Shape", inputs: [{ node: "keys" }] });
  expect(after.nodes.get("y/found")?.op).toBe("LookupTableFindV2");
});

test("shapeLookups leaves a vector of keys as it is", () => {
  expect(shapeLookups(lookUp([null]))).toEqual(lookUp([null]));
});
