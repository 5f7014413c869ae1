import { expect, test } from "vitest";
import { backendGaps } from "../backend-gaps.ts";
import { formatGaps } from "./format-gaps.ts";

test("formatGaps says which backends run all of a graph, and what the others lack", () => {
  const gaps = backendGaps([{ op: "StringToHashBucketFast" }, { op: "Relu" }]);
  expect(formatGaps(gaps).join("\n")).toBe(
    "backends   webgl, wasm, cpu\ngaps       webgpu lacks StringToHashBucketFast",
  );
});
