import { expect, test } from "vitest";
import { pathEnds } from "./path-ends.ts";

test("pathEnds walks no step twice, and tells rings from ends", () => {
  const next: Readonly<Record<string, string>> = { a: "b", b: "c", x: "y", y: "z", z: "y" };
  const steps: string[] = [];
  const endOf = pathEnds(({ node }) => {
    steps.push(node);
    const after = next[node];
    return after === undefined ? undefined : { node: after, output: 0 };
  });
  const endsOf = (...names: readonly string[]) => names.map((node) => endOf({ node, output: 0 })?.node);
  expect(endsOf("a", "b", "c", "x", "z")).toEqual(["c", "c", "c", undefined, undefined]);
  expect(steps.filter((step) => step === "a" || step === "x")).toEqual(["a", "x"]);
});

test("pathEnds keeps a node's outputs apart", () => {
  const endOf = pathEnds(({ node, output }) => (node === "many" ? { node: `part_${output}`, output: 0 } : undefined));
  const ends = [0, 1].map((output) => endOf({ node: "many", output })?.node);
  expect(ends).toEqual(["part_0", "part_1"]);
});
