import { describe, expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { countSuppressed } from "./count-suppressed.ts";

const x = node("x", "Placeholder");
const suppression = (isPadded: boolean) =>
  node("nms", "NonMaxSuppressionV5", ["x"], { attrs: { pad_to_max_output_size: { b: isPadded } } });

describe("countSuppressed", () => {
  test("counts the boxes by the size of their list", () => {
    const after = countSuppressed(graph([x, suppression(false), node("y", "Neg", ["nms:2"])], ["y"]));
    const [count] = after.nodes.get("y")?.inputs ?? [];
    expect(after.nodes.get(count?.node ?? "")).toMatchObject({ op: "Size", inputs: [{ node: "nms", output: 0 }] });
  });

  test("counts an output of the signature likewise", () => {
    const after = countSuppressed(graph([x, suppression(false)], ["nms:2", "nms:1"]));
    expect(after.outputs.map(({ tensor }) => tensor)).toEqual([
      { node: "nms/valid_outputs", output: 0 },
      { node: "nms", output: 1 },
    ]);
  });

  test("leaves a padded one alone, whose list has always the same size", () => {
    const before = graph([x, suppression(true), node("y", "Neg", ["nms:2"])], ["y"]);
    expect(countSuppressed(before)).toEqual(before);
  });
});
