import { parseManifest } from "@nearside/core";
import { expect, test } from "vitest";
import { kernels } from "../kernels/index.ts";
import { kernelsFor } from "./kernels-for.ts";

const nodes = (...ops: readonly string[]) => ops.map((op, index) => ({ name: `n${index}`, op }));

const signature = { inputs: {}, outputs: {} };

const manifest = (json: object) =>
  parseManifest(
    JSON.stringify({ format: "graph-model", signature, modelTopology: { node: [] }, weightsManifest: [], ...json }),
    "model.json",
  );

test("a model of ordinary ops, loops, branches and tables needs no kernels", async () => {
  const frame = nodes("Enter", "RefEnter", "Merge", "LoopCond", "Switch", "NextIteration", "Exit");
  const graph = nodes("Placeholder", "Const", "Conv2D", "Relu", "While", "If", "StatelessWhile", "StatelessIf", "Fill");
  const library = { function: [{ signature: { name: "body" }, nodeDef: nodes("AddV2", "TensorListSetItem") }] };
  const modelInitializer = { node: nodes("HashTableV2", "LookupTableImportV2", "NoOp") };
  const model = manifest({ modelTopology: { node: [...graph, ...frame], library }, modelInitializer });
  expect(await kernelsFor(model)).toEqual({});
});

test.each([
  ["its graph", { modelTopology: { node: nodes("Placeholder", "Cumsum") } }],
  [
    "a function",
    { modelTopology: { node: [], library: { function: [{ signature: { name: "f" }, nodeDef: nodes("Einsum") }] } } },
  ],
  ["what fills its tables", { modelInitializer: { node: nodes("StringJoin") } }],
])("a model with one of their ops in %s needs them", async (_, json) => {
  expect(await kernelsFor(manifest(json))).toBe(kernels);
});
