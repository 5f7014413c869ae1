import { expect, test } from "vitest";
import { constantNode, graph, integers, node } from "../../testing/tiny-graph.ts";
import { replaceBroadcasts } from "./replace-broadcasts.ts";

const float = { T: { type: "DT_FLOAT" } } as const;
const broadcast = node("y", "BroadcastTo", ["x", "shape"], { attrs: float });

test("replaceBroadcasts multiplies by ones where the shape isn't known", () => {
  const before = graph([node("x", "Placeholder"), node("shape", "Placeholder"), broadcast], ["y"]);
  const { nodes } = replaceBroadcasts(before);
  const { op, inputs } = nodes.get("y") ?? broadcast;
  expect([op, inputs.map((input) => nodes.get(input.node)?.op)]).toEqual(["Mul", ["Placeholder", "Fill"]]);
});

test("replaceBroadcasts leaves a known shape alone", () => {
  const before = graph([node("x", "Placeholder"), constantNode("shape", integers(2, 3)), broadcast], ["y"]);
  expect(replaceBroadcasts(before).nodes.get("y")?.op).toBe("BroadcastTo");
});
