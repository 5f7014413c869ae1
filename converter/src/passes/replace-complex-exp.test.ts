import { expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { replaceComplexExp } from "./replace-complex-exp.ts";

const complex = { T: { type: "DT_COMPLEX64" } } as const;

test("replaceComplexExp writes a complex exponential as its length and direction", () => {
  const before = graph([node("z", "Placeholder"), node("y", "Exp", ["z"], { attrs: complex })], ["y"]);
  const { nodes } = replaceComplexExp(before);
  const formula = (name: string): string => {
    const { op, inputs } = nodes.get(name) ?? node(name, "nothing");
    return inputs.length === 0 ? name : `${op}(${inputs.map((input) => formula(input.node)).join(", ")})`;
  };
  expect(formula("y")).toBe("Complex(Mul(Exp(Real(z)), Cos(Imag(z))), Mul(Exp(Real(z)), Sin(Imag(z))))");
});

test("replaceComplexExp leaves real numbers alone", () => {
  const before = graph([node("x", "Placeholder"), node("y", "Exp", ["x"])], ["y"]);
  expect(replaceComplexExp(before).nodes.get("y")?.op).toBe("Exp");
});
