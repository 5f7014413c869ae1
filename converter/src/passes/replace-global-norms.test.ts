import { expect, test } from "vitest";
import { constantNode, filled, graph, node } from "../../testing/tiny-graph.ts";
import { replaceGlobalNorms } from "./replace-global-norms.ts";

const statistics = ["mean", "variance", "beta", "gamma"];
const constants = statistics.map((name) => constantNode(name, filled(2, [3])));

function normalise(scaleAfter: boolean) {
  const attrs = { variance_epsilon: { f: 0.5 }, scale_after_normalization: { b: scaleAfter } };
  const y = node("y", "BatchNormWithGlobalNormalization", ["x", ...statistics], { attrs });
  return replaceGlobalNorms(graph([node("x", "Placeholder"), ...constants, y], ["y"])).nodes;
}

test("replaceGlobalNorms makes the op FusedBatchNorm, whose inputs stand in another order", () => {
  const y = normalise(true).get("y");
  expect(y).toMatchObject({ op: "FusedBatchNorm", attrs: { epsilon: { f: 0.5 }, is_training: { b: false } } });
  expect(y?.inputs.map((input) => input.node)).toEqual(["x", "gamma", "beta", "mean", "variance"]);
});

test("replaceGlobalNorms scales by ones where the op doesn't scale", () => {
  const nodes = normalise(false);
  expect(nodes.get("y")?.inputs.map((input) => input.node)).toEqual(["x", "y/ones", "beta", "mean", "variance"]);
  expect(nodes.get("y/ones")?.value).toEqual(filled(1, [3]));
});
