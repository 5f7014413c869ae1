import { describe, expect, test } from "vitest";
import { concat, encodeProto } from "../../testing/encode-proto.ts";
import { memorySink, memorySource } from "../../testing/memory-files.ts";
import { convert } from "../convert.ts";

const attr = (name: string, value: Uint8Array) =>
  [5, encodeProto([1, name], [2, value])] as const satisfies readonly [number, Uint8Array];
const type = (number: number) => encodeProto([6, number]);
const shape = encodeProto([7, encodeProto([2, encodeProto([1, -1])], [2, encodeProto([1, 2])])]);
const two = encodeProto([8, encodeProto([1, 1], [2, encodeProto()], [5, { float: 2 }])]);

/** y = x · 2, z = y > 2 */
const frozen = concat(
  encodeProto([1, encodeProto([1, "x"], [2, "Placeholder"], attr("dtype", type(1)), attr("shape", shape))]),
  encodeProto([1, encodeProto([1, "two"], [2, "Const"], attr("dtype", type(1)), attr("value", two))]),
  encodeProto([1, encodeProto([1, "y"], [2, "Mul"], [3, "x"], [3, "two"], attr("T", type(1)))]),
  encodeProto([1, encodeProto([1, "z"], [2, "Greater"], [3, "y"], [3, "two"], attr("T", type(1)))]),
);

async function convertFrozen(outputs: readonly string[], bytes = frozen) {
  const sink = memorySink();
  const report = await convert(memorySource({ "f.pb": bytes }), sink, { frozenGraph: { file: "f.pb", outputs } });
  return { report, files: Object.keys(sink.files) };
}

describe("a frozen graph", () => {
  test("has its placeholders for inputs and the named nodes for outputs", async () => {
    const { report, files } = await convertFrozen(["y", "z"]);
    expect(report.signature).toEqual({
      inputs: { x: { dtype: "float32", shape: [null, 2] } },
      outputs: { y: { dtype: "float32", shape: null }, z: { dtype: "bool", shape: null } },
    });
    expect(files).toContain("model.json");
  });

  test.each([
    ["a node that isn't there", ["w"], frozen, "not-found"],
    ["a SavedModel", ["y"], Uint8Array.of(8, 1), "invalid-argument"],
    ["a file that is cut short", ["y"], frozen.subarray(0, -3), "data-loss"],
  ] as const)("is refused for %s", async (_, outputs, bytes, code) => {
    await expect(convertFrozen(outputs, bytes)).rejects.toMatchObject({ code });
  });
});
