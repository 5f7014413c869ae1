import { expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { graph, node } from "../../testing/tiny-graph.ts";
import { resolveIdentities } from "./resolve-identities.ts";

test("resolveIdentities takes inputs from where they really come from", () => {
  const nodes = [
    node("x", "Placeholder"),
    node("a", "Identity", ["x"]),
    node("b", "StopGradient", ["a"]),
    node("c", "CheckNumerics", ["b"]),
    node("y", "AddV2", ["c", "a"]),
  ];
  const after = resolveIdentities(graph(nodes, ["y"]));
  expect(after.nodes.get("y")?.inputs.map((input) => input.node)).toEqual(["x", "x"]);
  expect(evaluate(after, { x: 2 })).toEqual({ y: 4 });
});

test("resolveIdentities leaves a ring of identities alone", () => {
  const before = graph([node("a", "Identity", ["b"]), node("b", "Identity", ["a"])], ["a"]);
  expect(resolveIdentities(before)).toEqual(before);
});

test("resolveIdentities takes each output of IdentityN from its own input", () => {
  const nodes = [node("x", "Placeholder"), node("a", "Neg", ["x"]), node("both", "IdentityN", ["x", "a"])];
  const before = graph([...nodes, node("y", "Mul", ["both:1", "both"])], ["y"]);
  const after = resolveIdentities(before);
  expect(after.nodes.get("y")?.inputs.map((input) => input.node)).toEqual(["a", "x"]);
  expect(evaluate(after, { x: 2 })).toEqual({ y: -4 });
});
