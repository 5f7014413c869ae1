// The Python converter's own tests of SavedModels and frozen graphs, restated, a test each. Elsewhere:
// - results of SavedModels v1 and v2, with control flow, tables, LSTM, GRU, Conv1D, depthwise convolutions, several
//   inputs and outputs in stock TensorFlow.js: ../converter.test.ts; each by itself, on each backend: `npm run fixtures`
// - TensorFlow Decision Forests with the op check skipped: ../convert-cli.test.ts (its assets are not written)
// Not for this converter: writing the frozen graph to a file, and Keras models in a Python process's memory.
import { openArchive } from "@nearside/converter";
import { readDirectory } from "@nearside/converter/node";
import { describe, expect, test } from "vitest";
import { encodeTarGz } from "../../converter/testing/encode-archive.ts";
import { encodeConstant, encodeNode, encodePlaceholder } from "../../converter/testing/encode-graph.ts";
import { memorySource } from "../../converter/testing/memory-files.ts";
import { fixturesRoot } from "../fixtures.ts";
import { readSubjects } from "../fuzz/subjects.ts";
import { readExample } from "../models.ts";
import { runInTfjs } from "../run-in-tfjs.ts";
import { convertFixture, convertNodes, convertSource, type ModelJson, onlyNode, opsOf } from "./converted.ts";

const absent = "the fixtures (../shared/fixtures) are not here";

/** A test that needs the shared fixtures. */
function testFixture(name: string, run: () => Promise<void>): void {
  test(name, async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip(absent);
    await run();
  });
}

describe("a TensorFlow 1 SavedModel", () => {
  testFixture("with a variable, a matrix product and a softmax has versions, signature and one shard", async () => {
    const { json } = await convertFixture("made/tf1_ref");
    expect(json).toMatchObject({
      format: "graph-model",
      convertedBy: expect.stringContaining("nearside"),
      generatedBy: expect.stringMatching(/^\d+\.\d+/),
      modelTopology: { versions: { producer: expect.any(Number) } },
      signature: {
        inputs: { x: { name: "x:0", dtype: "DT_FLOAT" } },
        outputs: { y: { name: "y:0", dtype: "DT_FLOAT" } },
      },
      weightsManifest: [
        { paths: [expect.stringMatching(/\.bin$/)], weights: [{ name: "w", shape: [4, 3], dtype: "float32" }] },
      ],
    });
  });

  testFixture("takes metadata into userDefinedMetadata", async () => {
    const { json } = await convertFixture("made/tf1_ref", { metadata: { key: { value: 1 } } });
    expect(json.userDefinedMetadata).toEqual({ key: { value: 1 } });
  });
});

describe("a SavedModel with a hash table", () => {
  testFixture("binds the table's input to what the initialiser makes", async () => {
    const { json } = await convertFixture("made/hashtable");
    const [handle] = Object.values(json.signature.inputs).filter(({ dtype }) => dtype === "DT_RESOURCE");
    const [made] = Object.values(json.initializerSignature?.outputs ?? {});
    expect(handle?.resourceId).toBeDefined();
    expect(handle?.resourceId).toBe(made?.resourceId);
    expect(opsOf(json)).toHaveProperty("LookupTableFindV2");
    const initialiser = json.modelInitializer?.node.map(({ op }) => op);
    expect(initialiser).toEqual(expect.arrayContaining(["HashTableV2", "LookupTableImportV2"]));
    expect(weightsOf(json)).toEqual(["int32[]", "string[2]", "int32[2]"]);
  });

  testFixture("that the signature has no use for leaves the table out", async () => {
    const used = await convertFixture("made/hash_table_multi", { signature: "words" });
    const tables = used.json.modelInitializer?.node.filter(({ op }) => op === "HashTableV2");
    expect(tables).toHaveLength(1);
  });
});

describe("a TensorFlow 2 SavedModel", () => {
  testFixture("has its functions inlined", async () => {
    const { json } = await convertFixture("made/nested_fn");
    expect(Object.keys(opsOf(json)).filter((op) => op.includes("Call"))).toEqual([]);
    expect(json.modelTopology.library).toEqual({});
  });

  test("takes metadata into userDefinedMetadata", async () => {
    const { savedModel } = await readExample("digits");
    const { json } = await convertSource(readDirectory(savedModel), { metadata: { key: "value" } });
    expect(json.userDefinedMetadata).toEqual({ key: "value" });
  });

  testFixture("keeps a loop of unknown length as StatelessWhile, its constants named after its functions", async () => {
    const { json } = await convertFixture("made/tf_while_dynamic");
    const ops = opsOf(json);
    expect(ops.StatelessWhile).toBe(1);
    for (const lowered of ["Merge", "Switch", "Enter", "Exit", "NextIteration"]) expect(ops[lowered]).toBeUndefined();
    const inner = json.modelTopology.library?.function?.flatMap(({ nodeDef }) => nodeDef.map(({ name }) => name)) ?? [];
    const weights = json.weightsManifest[0]?.weights.map(({ name }) => name) ?? [];
    const constants = weights.filter((name) => inner.includes(name));
    expect(constants.length).toBeGreaterThan(0);
    for (const name of constants) expect(name).toMatch(/while_(cond|body)\//);
  });

  test("is cut into two files at four fifths of its weights, the last one smaller", async () => {
    const { savedModel } = await readExample("digits");
    const whole = await convertSource(readDirectory(savedModel), {});
    const total = bytesOf(whole.json);
    const { json } = await convertSource(readDirectory(savedModel), { shardBytes: Math.floor(total * 0.8) });
    const sizes = shardsOf(json).map(({ bytes }) => bytes);
    expect(sizes).toHaveLength(2);
    expect(bytesOf(json)).toBe(total);
    expect(sizes[1]).toBeLessThan(sizes[0] ?? 0);
  });

  testFixture("loses its debug ops", async () => {
    const { json } = await convertFixture("made/debug_ops");
    expect(opsOf(json)).toEqual({ MatMul: 1, Identity: 1 });
  });

  testFixture("names its outputs for predict, sorted, unless that is switched off", async () => {
    const keys = ["a_plus", "b_pass", "m_times", "z_minus"];
    const { json } = await convertFixture("made/structured_io");
    expect(json.userDefinedMetadata).toEqual({ structuredOutputKeys: keys });
    const without = await convertFixture("made/structured_io", { structuredOutputs: false });
    expect(without.json.userDefinedMetadata).toBeUndefined();
    expect(Object.keys(without.json.signature.outputs).sort()).toEqual(keys);
  });

  test("converts from TF Hub's archive, with metadata", async () => {
    const [digits] = await readSubjects(["digits"]);
    const archive = memorySource({ "module.tar.gz": encodeTarGz(digits?.files ?? {}) });
    const source = await openArchive(archive, "module.tar.gz");
    const { json } = await convertSource(source, { metadata: { hub: "digits/1" } });
    expect(json.userDefinedMetadata).toEqual({ hub: "digits/1" });
    expect(json.signature.inputs).toHaveProperty("image");
  });
});

describe("a frozen graph", () => {
  const nodes = [
    encodePlaceholder("x", [-1, 2]),
    encodeConstant("w", "float32", [2, 2], [1, 2, 3, 4]),
    encodeNode("product", "MatMul", ["x", "w"]),
    encodeNode("y", "Softplus", ["product"]),
  ];
  const x = { dtype: "float32", shape: [1, 2], data: Float32Array.of(1, -1) } as const;

  test("is converted up to the nodes that are named, also one in the middle", async () => {
    const { folder, json } = await convertNodes(nodes, ["product", "y"], { metadata: { key: "value" } });
    expect(Object.keys(json.signature.outputs)).toEqual(["product", "y"]);
    expect(json.userDefinedMetadata).toMatchObject({ key: "value" });
    const { product, y } = await runInTfjs(folder, { x });
    expect([...(product?.data ?? [])]).toEqual([-2, -2]);
    expect(y?.data[0]).toBeCloseTo(Math.log1p(Math.exp(-2)), 6);
  });

  test("with an op that TensorFlow.js lacks is refused, with the op's name", async () => {
    const odd = [...nodes, encodeNode("z", "NoSuchOp", ["y"], [])];
    const conversion = convertNodes([...odd, encodeNode("out", "Relu", ["z"])], ["out"]);
    await expect(conversion).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("NoSuchOp"),
    });
  });

  test("with such an op is converted where the check is skipped", async () => {
    const odd = [...nodes, encodeNode("z", "NoSuchOp", ["y"], []), encodeNode("out", "Relu", ["z"])];
    const { json } = await convertNodes(odd, ["out"], { skipOpCheck: true });
    expect(onlyNode(json, "NoSuchOp").input).toEqual(["y"]);
  });
});

function weightsOf({ weightsManifest }: ModelJson): readonly string[] {
  return weightsManifest.flatMap(({ weights }) => weights.map(({ dtype, shape }) => `${dtype}[${shape}]`));
}

function shardsOf({ weightsManifest }: ModelJson): readonly { readonly bytes: number }[] {
  return weightsManifest.flatMap(({ shards }) => shards);
}

function bytesOf(json: ModelJson): number {
  return shardsOf(json).reduce((sum, { bytes }) => sum + bytes, 0);
}
