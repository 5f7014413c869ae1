import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeProto } from "./protobuf/codec.ts";
import { readSignatureDefs } from "./saved-model-signatures.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-signatures-"));
});
afterEach(() => rm(folder, { recursive: true }));

const x = { name: "x:0", dtype: 1, tensorShape: { dim: [{ size: -1, name: "batch" }] } };
const signature = { inputs: new Map([["x", x]]), methodName: "tensorflow/serving/classify" };
const graph = (tags: readonly string[], name: string) => ({
  metaInfoDef: { tags },
  signatureDef: new Map([[name, signature]]),
});

describe("readSignatureDefs", () => {
  test("reads the signatures of the graph with these tags", async () => {
    const metaGraphs = [graph(["gpu", "serve"], "other"), graph(["serve"], "mine")];
    await writeFile(join(folder, "saved_model.pb"), encodeProto("tensorflow.SavedModel", { metaGraphs }));
    const found = await readSignatureDefs(folder, ["serve"]);
    expect([...(found ?? [])]).toMatchObject([["mine", { methodName: "tensorflow/serving/classify" }]]);
    expect(found?.get("mine")?.inputs.get("x")).toMatchObject(x);
    expect([...((await readSignatureDefs(folder, ["serve", "gpu"])) ?? [])]).toMatchObject([["other", {}]]);
  });

  test("reads those of a model in text form, whose other fields don't matter", async () => {
    const text = `meta_graphs { meta_info_def { tags: "serve" stripped_op_list { } } graph_def { node { name: "x" } }
      signature_def { key: "mine" value { inputs { key: "x" value { name: "x:0" dtype: DT_INT64 } } } } }`;
    await writeFile(join(folder, "saved_model.pbtxt"), text);
    const found = await readSignatureDefs(folder, ["serve"]);
    expect(found?.get("mine")?.inputs.get("x")).toMatchObject({ name: "x:0", dtype: 9 });
  });

  test("finds none where there is no SavedModel, or none with these tags", async () => {
    expect(await readSignatureDefs(folder, ["serve"])).toBeUndefined();
    await writeFile(join(folder, "saved_model.pb"), encodeProto("tensorflow.SavedModel", {}));
    expect(await readSignatureDefs(folder, ["serve"])).toBeUndefined();
  });
});
