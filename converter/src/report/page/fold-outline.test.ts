import { describe, expect, test } from "vitest";
import type { GraphOutline } from "../outline-graph.ts";
import { foldOutline } from "./fold-outline.ts";

function chain(names: readonly string[], inputsOf = (index: number) => (index === 0 ? [] : [index - 1])): GraphOutline {
  const nodes = names.map((name, index) => ({
    name,
    ops: ["Relu"],
    inputs: inputsOf(index).map((input) => names[input] ?? ""),
    weights: [],
    shape: null,
  }));
  return { name: "", nodes, outputs: names.slice(-1) };
}

describe("foldOutline", () => {
  test("gives each node of a small graph a box", () => {
    const { boxes, isFolded, leftOut } = foldOutline(chain(["a/x", "a/y", "b"]));
    expect(boxes.map(({ name, inputs }) => [name, inputs])).toEqual([
      ["a/x", []],
      ["a/y", ["a/x"]],
      ["b", ["a/y"]],
    ]);
    expect({ isFolded, leftOut }).toEqual({ isFolded: false, leftOut: 0 });
  });

  test("gives each scope of a large graph a box", () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `model/layer${Math.floor(index / 100)}/op${index}`);
    const { boxes, isFolded, leftOut } = foldOutline(chain(names));
    expect({ count: boxes.length, isFolded, leftOut }).toEqual({ count: 200, isFolded: true, leftOut: 0 });
    expect(boxes[1]).toMatchObject({ name: "model/layer1", inputs: ["model/layer0"] });
    expect(boxes[1]?.nodes).toHaveLength(100);
  });

  test("leaves out the end of what can't be folded", () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `op${index}`);
    const { boxes, leftOut } = foldOutline(chain(names));
    expect(boxes.length + leftOut).toBe(20_000);
    expect(boxes.length).toBeGreaterThan(100);
    expect(boxes.length).toBeLessThanOrEqual(400);
  });

  test("counts the layers that connections cross", () => {
    const names = Array.from({ length: 400 }, (_, index) => `op${index}`);
    const all = (index: number) => Array.from({ length: index }, (_, source) => source);
    expect(foldOutline(chain(names, all)).boxes.length).toBeLessThan(50);
  });
});
