import { describe, expect, test } from "vitest";
import { constantNode, graph, integers, node } from "../../testing/tiny-graph.ts";
import { passes } from "../passes/index.ts";
import { withInputShapes, withOutputShapes } from "./input-shapes.ts";

const int32 = { T: { type: "DT_INT32" } } as const;
/** x [?, 3, 4] flattened, as Keras writes it: Shape, StridedSlice, Pack, Reshape. */
const flatten = graph(
  [
    node("x", "Placeholder", [], { attrs: { shape: { shape: [null, 3, 4] } } }),
    constantNode("zero", integers(0)),
    constantNode("one", integers(1)),
    node("shape", "Shape", ["x"]),
    node("batch", "StridedSlice", ["shape", "zero", "one", "one"], {
      attrs: { ...int32, shrink_axis_mask: { i: 1n } },
    }),
    constantNode("rest", { ...integers(12), shape: [] }),
    node("target", "Pack", ["batch", "rest"], { attrs: int32 }),
    node("flat", "Reshape", ["x", "target"]),
    node("y", "Softmax", ["flat"]),
  ],
  ["y"],
);

describe("withInputShapes", () => {
  test("fixes what the model leaves open, and what follows from it", () => {
    const fixed = withInputShapes(flatten, { x: [2, null, 4] }, "signature");
    expect(fixed.inputs[0]?.shape).toEqual([2, 3, 4]);
    expect(fixed.nodes.get("x")?.attrs.shape).toEqual({ shape: [2, 3, 4] });
    const optimised = passes.reduce((current, pass) => pass(current), fixed);
    expect([...optimised.nodes.values()].map(({ op }) => op)).toEqual(["Placeholder", "Const", "Reshape", "Softmax"]);
    const outputs = optimised.outputs.map((port) => ({ ...port, shape: null }));
    expect(withOutputShapes({ ...optimised, outputs }).outputs[0]?.shape).toEqual([2, 12]);
  });

  test.each<[string, Record<string, (number | null)[]>, string]>([
    ["an input that there isn't", { z: [1] }, 'signature: it has no input "z"; it has "x"'],
    ["another size", { x: [1, 5, 4] }, 'input "x": expected a shape like [?,3,4], got [1,5,4]'],
    ["another rank", { x: [1, 3] }, "expected a shape like [?,3,4], got [1,3]"],
    ["what is no size", { x: [1.5, 3, 4] }, "expected a shape like [?,3,4], got [1.5,3,4]"],
  ])("refuses %s", (_, shapes, message) => {
    expect(() => withInputShapes(flatten, shapes, "signature")).toThrow(message);
    expect(() => withInputShapes(flatten, shapes, "signature")).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
  });
});
