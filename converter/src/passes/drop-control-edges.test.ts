import { describe, expect, test } from "vitest";
import { body, graph, node } from "../../testing/tiny-graph.ts";
import type { Node } from "../graph/graph.ts";
import { dropControlEdges } from "./drop-control-edges.ts";

const x = node("x", "Placeholder");
const branch = (name: string): Node =>
  node("guard", "StatelessIf", ["x"], { attrs: { then_branch: { func: { name, attrs: {} } } } });

describe("dropControlEdges", () => {
  test("drops edges from asserts, prints and plain arithmetic", () => {
    const nodes = [
      x,
      node("assert", "Assert", ["x"]),
      node("print", "PrintV2", ["x"]),
      node("sum", "AddV2", ["x", "x"]),
    ];
    const after = dropControlEdges(graph([...nodes, node("y", "Identity", ["x", "^assert", "^print", "^sum"])], ["y"]));
    expect(after.nodes.get("y")?.controls).toEqual([]);
  });

  test("keeps edges from what changes state, also through other nodes", () => {
    const nodes = [x, node("assign", "AssignAddVariableOp", ["x"]), node("group", "NoOp", ["^assign"])];
    const after = dropControlEdges(graph([...nodes, node("y", "Identity", ["x", "^group"])], ["y"]));
    expect(after.nodes.get("y")?.controls).toEqual(["group"]);
  });

  test("keeps edges from ops that nobody knows", () => {
    const after = dropControlEdges(graph([x, node("custom", "MyOp"), node("y", "Identity", ["x", "^custom"])], ["y"]));
    expect(after.nodes.get("y")?.controls).toEqual(["custom"]);
  });

  test("looks into the branches of what guards an assert", () => {
    const functions = {
      checks: body([node("assert", "Assert")], []),
      writes: body([node("assign", "AssignVariableOp")], []),
    };
    const y = node("y", "Identity", ["x", "^guard"]);
    const controls = (name: string) =>
      dropControlEdges(graph([x, branch(name), y], ["y"], functions)).nodes.get("y")?.controls;
    expect(controls("checks")).toEqual([]);
    expect(controls("writes")).toEqual(["guard"]);
  });
});
