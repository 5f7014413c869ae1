import { describe, expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { checkMetadata, userMetadata } from "./user-metadata.ts";

function outputs(...keys: readonly string[]) {
  const nodes = keys.map((key) => node(key, "Placeholder"));
  return graph(nodes, keys).outputs;
}

describe("userMetadata", () => {
  test("names several outputs that have names", () => {
    expect(userMetadata({}, outputs("boxes", "scores"))).toEqual({ structuredOutputKeys: ["boxes", "scores"] });
  });

  test("leaves one output, and names that TensorFlow made up, alone", () => {
    expect(userMetadata({}, outputs("scores"))).toBeUndefined();
    expect(userMetadata({}, outputs("output_0", "output_1"))).toBeUndefined();
  });

  test("does as it is told", () => {
    expect(userMetadata({}, outputs("scores"), true)).toEqual({ structuredOutputKeys: ["scores"] });
    expect(userMetadata({ card: 1 }, outputs("a", "b"), false)).toEqual({ card: 1 });
  });

  test("names outputs in the order that a JSON object has them", () => {
    const json = userMetadata({}, outputs("10", "9", "a"), true);
    expect(json).toEqual({ structuredOutputKeys: ["9", "10", "a"] });
  });
});

test("checkMetadata refuses the keys that TensorFlow.js reads", () => {
  expect(() => checkMetadata({ signature: {} })).toThrow('got "signature"');
  expect(() => checkMetadata({ card: {} })).not.toThrow();
});
