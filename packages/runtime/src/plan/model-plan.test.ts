import { parseManifest } from "@nearside/core";
import { expect, test } from "vitest";
import { openCpuBackend } from "../backends/cpu.ts";
import { openLocalSession } from "../local-session.ts";

const [float, int, resource] = ["DT_FLOAT", "DT_INT32", "DT_RESOURCE"].map((type) => ({ type }));
const anyLength = { dim: [{ size: "-1" }] };
const handle = { dtype: "DT_RESOURCE", tensorShape: {}, resourceId: 7 };

/** prices = table[ids]; as the Python converter writes it, the initialiser's output only waits for what fills the table. */
const shop = {
  format: "graph-model",
  signature: {
    inputs: {
      ids: { name: "ids:0", dtype: "DT_INT32", tensorShape: anyLength },
      "table:0": { name: "table:0", ...handle },
    },
    outputs: { prices: { name: "prices:0", dtype: "DT_FLOAT", tensorShape: anyLength } },
  },
  modelTopology: {
    versions: { producer: 1000 },
    node: [
      { name: "ids", op: "Placeholder", attr: { dtype: int, shape: { shape: anyLength } } },
      { name: "table", op: "Placeholder", attr: { dtype: resource, shape: { shape: {} } } },
      { name: "missing", op: "Const", attr: { dtype: float } },
      { name: "prices", op: "LookupTableFindV2", input: ["table", "ids", "missing"], attr: { Tin: int, Tout: float } },
    ],
  },
  modelInitializer: {
    versions: { producer: 1000 },
    node: [
      { name: "keys", op: "Const", attr: { dtype: int } },
      { name: "values", op: "Const", attr: { dtype: float } },
      { name: "hash_table", op: "HashTableV2", attr: { key_dtype: int, value_dtype: float } },
      { name: "fill", op: "LookupTableImportV2", input: ["hash_table", "keys", "values"] },
      { name: "filled", op: "NoOp", input: ["^fill"] },
      { name: "made", op: "Identity", input: ["hash_table", "^filled"], attr: { T: resource } },
    ],
  },
  initializerSignature: { outputs: { "made:0": { name: "made:0", ...handle } } },
  weightsManifest: [
    {
      paths: ["weights.bin"],
      weights: [
        { name: "keys", dtype: "int32", shape: [2] },
        { name: "values", dtype: "float32", shape: [2] },
        { name: "missing", dtype: "float32", shape: [] },
      ],
    },
  ],
};

test("a model's tables are filled before they are taken, though only control edges lead to what fills them", async () => {
  const backend = await openCpuBackend();
  const weights = new Uint8Array([...bytes(Int32Array.of(3, 5)), ...bytes(Float32Array.of(1.5, 2.5, -9))]);
  const files = { manifest: parseManifest(JSON.stringify(shop)), readShard: async () => weights.buffer };
  const session = await openLocalSession("shop", files, backend);
  const { prices } = await session.run({ ids: { dtype: "int32", shape: [3], data: Int32Array.of(5, 4, 3) } });
  expect(prices?.data).toEqual(Float32Array.of(2.5, -9, 1.5));
  await session.close();
  await backend.close();
});

function bytes({ buffer }: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer);
}
