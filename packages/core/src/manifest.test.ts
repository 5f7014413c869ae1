import { expect, test } from "vitest";
import { parseManifest } from "./manifest.ts";

const sha256 = "a".repeat(64);
const model = {
  format: "graph-model",
  signature: {
    inputs: { x: { name: "x:0", dtype: "DT_FLOAT", tensorShape: { dim: [{ size: "-1" }, { size: "3" }] } } },
    outputs: { y: { name: "Identity:0", dtype: "DT_INT64", tensorShape: { unknownRank: true } } },
  },
  modelTopology: { node: [] },
  weightsManifest: [
    {
      paths: ["a.bin"],
      shards: [{ path: "a.bin", bytes: 12, sha256 }],
      weights: [{ name: "w", dtype: "float32", shape: [3] }],
    },
  ],
};
const parse = (changes: object) => parseManifest(JSON.stringify({ ...model, ...changes }), "model.json");

test("parseManifest reads the signature, tensor names, weights and shards", () => {
  const manifest = parse({});
  expect(manifest.signature).toEqual({
    inputs: { x: { dtype: "float32", shape: [null, 3] } },
    outputs: { y: { dtype: "int64", shape: null } },
  });
  expect(manifest.inputNames).toEqual({ x: "x:0" });
  expect(manifest.weightGroups).toEqual([
    { shards: [{ path: "a.bin", bytes: 12, sha256 }], weights: [{ name: "w", dtype: "float32", shape: [3] }] },
  ]);
});

test("parseManifest reads which int64 inputs the graph takes as decimal texts", () => {
  const ids = { name: "ids:0", dtype: "DT_INT64", tensorShape: {} };
  const signature = { inputs: { ids }, outputs: {} };
  expect(parse({}).decimalInputs).toEqual([]);
  expect(parse({ signature, nearside: { decimalInputs: ["ids"] } }).decimalInputs).toEqual(["ids"]);
});

test("parseManifest takes a scalar's empty shape, and leaves table handles out of the inputs", () => {
  const handle = { name: "unknown:0", dtype: "DT_RESOURCE", tensorShape: {}, resourceId: 7 };
  const scalar = { name: "s:0", dtype: "DT_BOOL", tensorShape: {} };
  const { signature } = parse({ signature: { inputs: { handle, scalar }, outputs: {} } });
  expect(signature.inputs).toEqual({ scalar: { dtype: "bool", shape: [] } });
});

test("parseManifest reads a manifest of the Python converter, which has paths only", () => {
  const { weightGroups } = parse({ weightsManifest: [{ paths: ["group1-shard1of1.bin"], weights: [] }] });
  expect(weightGroups[0]?.shards).toEqual([{ path: "group1-shard1of1.bin", bytes: null, sha256: null }]);
});

test.each([
  [
    "text that is not JSON",
    () => parseManifest("<html>", "https://cdn/model.json"),
    "https://cdn/model.json: expected JSON",
  ],
  ["a layers model", () => parse({ format: "layers-model" }), 'expected format "graph-model", got "layers-model"'],
  ["no topology", () => parse({ modelTopology: undefined }), "modelTopology: expected an object"],
  ["no signature", () => parse({ signature: null }), "signature: expected an object, got null"],
  [
    "a weight without shape",
    () => parse({ weightsManifest: [{ paths: [], weights: [{ name: "w" }] }] }),
    "weights[0].shape",
  ],
  ["a decimal text for a float", () => parse({ nearside: { decimalInputs: ["x"] } }), 'got "x" (float32)'],
  ["a decimal text for no input", () => parse({ nearside: { decimalInputs: ["toString"] } }), "(no input)"],
  [
    "decimal texts that are no list",
    () => parse({ nearside: { decimalInputs: "x" } }),
    "decimalInputs: expected a list",
  ],
])("parseManifest refuses %s as data-loss, naming the place", (_what, run, message) => {
  expect(run).toThrow(expect.objectContaining({ code: "data-loss" }));
  expect(run).toThrow(message);
});

test.each(["../secret", "/etc/passwd", "a/../../b", "https://elsewhere/x", "\\\\host\\x", "data:,x", ""])(
  "parseManifest refuses the path %j, which leaves the model's folder",
  (path) => {
    expect(() => parse({ weightsManifest: [{ paths: [path], weights: [] }] })).toThrow("below model.json's folder");
  },
);

test.each([
  ["fewer entries than paths", [{ bytes: 1, sha256 }]],
  [
    "a size that is none",
    [
      { bytes: -1, sha256 },
      { bytes: 1, sha256 },
    ],
  ],
  [
    "a hash that is none",
    [
      { bytes: 1, sha256: "abc" },
      { bytes: 1, sha256 },
    ],
  ],
])("parseManifest refuses shards with %s", (_what, shards) => {
  const run = () => parse({ weightsManifest: [{ paths: ["a", "b"], shards, weights: [] }] });
  expect(run).toThrow(expect.objectContaining({ code: "data-loss" }));
});

test("parseManifest refuses a dtype that no tensor has", () => {
  const x = { name: "x:0", dtype: "DT_VARIANT", tensorShape: {} };
  expect(() => parse({ signature: { inputs: { x }, outputs: {} } })).toThrow(
    expect.objectContaining({ code: "unsupported" }),
  );
});
