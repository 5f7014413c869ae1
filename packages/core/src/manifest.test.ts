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

const node = { name: "y", op: "Neg", input: ["x"], attr: { T: { type: "DT_FLOAT" } } };
const inFunction = (changes: object) => ({
  library: { function: [{ signature: { name: "f" }, nodeDef: [], ...changes }] },
});

test.each([
  ["nodes that are no list", { node: {} }, "modelTopology.node: expected a list, got {}"],
  ["no list of nodes", { node: null }, "modelTopology.node: expected a list, got null"],
  ["a node that is none", { node: [node, null] }, "modelTopology.node[1]: expected a node, got null"],
  ["a node without a name", { node: [{ op: "Neg" }] }, 'modelTopology.node[0]: expected a node, got {"op":"Neg"}'],
  ["a node without an op", { node: [{ name: "y" }] }, 'node[0]: expected a node, got {"name":"y"}'],
  ["an input that is none", { node: [{ ...node, input: [3] }] }, '"input":[3]'],
  ["attributes that are none", { node: [{ ...node, attr: 3 }] }, '"attr":3'],
  ["functions that are no list", { library: { function: {} } }, "modelTopology.library.function: expected a list"],
  ["a function that is none", { library: { function: [null] } }, "library.function[0]: expected a function, got null"],
  ["a function without a name", inFunction({ signature: {} }), "library.function[0]: expected a function, got {"],
  ["a function's input that is none", inFunction({ signature: { name: "f", inputArg: [3] } }), '"inputArg":[3]'],
  ["a function's result that is none", inFunction({ ret: { y: 3 } }), '"ret":{"y":3}'],
  ["a function's node that is none", inFunction({ nodeDef: [3] }), 'function "f"[0]: expected a node, got 3'],
])("parseManifest refuses a graph with %s", (_, graph, message) => {
  const wrong = (text: string) =>
    expect.objectContaining({ code: "data-loss", message: expect.stringContaining(text) });
  expect(() => parse({ modelTopology: graph })).toThrow(wrong(message));
  expect(() => parse({ modelInitializer: graph })).toThrow(wrong(message.replace("Topology", "Initializer")));
});

test("parseManifest takes a graph whose empty fields are left out", () => {
  const library = { function: [{ signature: { name: "f" } }] };
  expect(() => parse({ modelTopology: { node: [{ name: "x", op: "Placeholder" }], library } })).not.toThrow();
  expect(() => parse({ modelTopology: { library: {}, versions: {} }, modelInitializer: {} })).not.toThrow();
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
