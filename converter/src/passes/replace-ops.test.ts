import { describe, expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { allNodes } from "../graph/all-nodes.ts";
import type { Attrs } from "../graph/graph.ts";
import { listOwnOps } from "../graph-model/own-ops.ts";
import { replaceOps } from "./replace-ops.ts";

const x = node("x", "Placeholder");
const written = (op: string, attrs: Attrs = {}) =>
  replaceOps(graph([x, node("y", op, ["x"], { attrs })], ["y"])).nodes.get("y")?.op;

describe("replaceOps", () => {
  test("replaces ops that TensorFlow.js always gets wrong", () => {
    expect(written("MatrixBandPart")).toBe("NearsideMatrixBandPart");
    expect(written("TensorScatterUpdate")).toBe("NearsideTensorScatterUpdate");
  });

  test("replaces arithmetic of complex numbers, and no other", () => {
    expect(written("Mul", { T: { type: "DT_COMPLEX64" } })).toBe("NearsideComplexMul");
    expect(written("Mul", { T: { type: "DT_FLOAT" } })).toBe("Mul");
  });

  test("replaces integer division, which TensorFlow.js rounds down, and what is left of it", () => {
    expect(written("Div", { T: { type: "DT_INT32" } })).toBe("TruncateDiv");
    expect(written("Div", { T: { type: "DT_FLOAT" } })).toBe("Div");
    expect(written("Mod", { T: { type: "DT_INT32" } })).toBe("TruncateMod");
  });

  test("replaces Einsum where it has an ellipsis", () => {
    const equation = (text: string) => ({ equation: { s: new TextEncoder().encode(text) } });
    expect(written("Einsum", equation("...ij,jk->...ik"))).toBe("NearsideEinsum");
    expect(written("Einsum", equation("ij,jk->ik"))).toBe("Einsum");
  });
});

describe("listOwnOps", () => {
  test("names the ops that only our runtime has, once, and those in functions", () => {
    const nodes = [x, node("a", "Roll", ["x"]), node("b", "Roll", ["a"]), node("c", "Relu", ["b"])];
    const functions = { f: graph([x, node("d", "Conj", ["x"])], ["d"]) };
    expect(listOwnOps(allNodes(graph(nodes, ["c"], functions)))).toEqual(["Conj", "Roll"]);
  });

  test("names none for a model that TensorFlow.js runs alone", () => {
    expect(listOwnOps([x, node("y", "Relu", ["x"])])).toEqual([]);
  });
});
