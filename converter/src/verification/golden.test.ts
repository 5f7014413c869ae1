import { describe, expect, test } from "vitest";
import { parseGolden } from "./golden.ts";
import { goldenFor } from "./verify.ts";

const x = { dtype: "float32", shape: [2], b64: "AACAPwAAAEA=" };
const word = { dtype: "string", shape: [1], b64: ["w6k="] };
const golden = (...cases: readonly object[]) => parseGolden(JSON.stringify({ cases }));

describe("parseGolden", () => {
  test("reads numbers and strings, and leaves out cases with an error", () => {
    const cases = golden(
      { signature: "a", inputs: { x, word }, outputs: {}, deterministic: false },
      { signature: "b", error: "no input" },
    );
    expect(cases).toEqual([
      {
        signature: "a",
        isDeterministic: false,
        inputs: {
          x: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) },
          word: { dtype: "string", shape: [1], data: ["é"] },
        },
        outputs: {},
      },
    ]);
  });

  test.each([
    ["{", "golden.json: expected JSON"],
    ["[]", "golden.json: expected an object"],
    ["{}", "golden.json: cases: expected a list, got nothing"],
    ['{"cases": [{"inputs": {}}]}', "cases[0].signature: expected a name"],
    ['{"cases": [{"signature": "a"}]}', "cases[0].inputs: expected an object"],
  ])("refuses %j", (text, message) => {
    expect(() => parseGolden(text)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => parseGolden(text)).toThrow(message);
  });

  test.each([
    [{ ...x, dtype: "float16" }, "inputs.x.dtype: expected a tensor's dtype"],
    [{ ...x, shape: [3] }, "inputs.x: expected 3 values"],
    [{ ...x, b64: "!" }, "inputs.x.b64: expected base64"],
    [{ ...x, b64: "AAA=" }, "inputs.x.b64: expected whole float32s"],
    [{ ...word, b64: "w6k=" }, "inputs.x.b64: expected a list of base64 strings"],
  ])("refuses the tensor %j, naming it", (tensor, message) => {
    expect(() => golden({ signature: "a", inputs: { x: tensor }, outputs: {} })).toThrow(message);
  });

  test("goldenFor says which signatures there are", () => {
    const cases = golden({ signature: "a", inputs: {}, outputs: {} });
    expect(goldenFor(cases, "a")).toHaveLength(1);
    expect(() => goldenFor(cases, "b")).toThrow('expected golden values of signature "b", got those of "a"');
  });
});
