import { describe, expect, test } from "vitest";
import { body, graph, int32, loop, node } from "../../testing/tiny-graph.ts";
import { lowerListLoops } from "./lower-list-loops.ts";

const cond = body(
  [node("c/i", "Placeholder"), node("c/l", "Placeholder"), node("c/less", "Less", ["c/i", "c/i"])],
  ["c/less"],
);
const push = body(
  [
    node("b/i", "Placeholder"),
    node("b/l", "Placeholder"),
    node("b/one", "Const", [], { value: int32(1) }),
    node("b/next", "AddV2", ["b/i", "b/one"]),
    node("b/push", "TensorListPushBack", ["b/l", "b/i"]),
  ],
  ["b/next", "b/push"],
);
const start = [node("n", "Placeholder"), node("list", "EmptyTensorList")];
const loops = loop("while", ["n", "list"], { cond: "cond", body: "push" });

describe("lowerListLoops", () => {
  test("writes a loop round by round", () => {
    const nodes = [...start, loops, node("y", "TensorListStack", ["while:1", "n"])];
    const after = lowerListLoops(graph(nodes, ["y"], { cond, push }));
    const inputs = (name: string) =>
      after.nodes.get(name)?.inputs.map((ref) => `${ref.node}${ref.output === 0 ? "" : `:${ref.output}`}`);
    expect(inputs("while/Merge_1")).toEqual(["while/Enter_1", "while/NextIteration_1"]);
    expect(inputs("c/less")).toEqual(["while/Merge_0", "while/Merge_0"]);
    expect(inputs("while/Switch_1")).toEqual(["while/Merge_1", "while/LoopCond"]);
    expect(inputs("b/push")).toEqual(["while/Switch_1:1", "while/Switch_0:1"]);
    expect(inputs("while/NextIteration_1")).toEqual(["b/push"]);
    expect(inputs("y")).toEqual(["while/Exit_1", "n"]);
    expect(after.nodes.has("while")).toBe(false);
  });

  test("leaves loops without lists as they are", () => {
    const same = body([node("b/i", "Placeholder"), node("b/l", "Placeholder")], ["b/i", "b/l"]);
    const before = graph([...start, loops], ["while"], { cond, push: same });
    expect(lowerListLoops(before)).toEqual(before);
  });

  test("leaves a loop as it is that returns a constant", () => {
    const constant = { ...push, outputs: body([], ["b/one", "b/push"]).outputs };
    const before = graph([...start, loops], ["while"], { cond, push: constant });
    expect(lowerListLoops(before)).toEqual(before);
  });
});
