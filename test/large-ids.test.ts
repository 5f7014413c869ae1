import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConvertOptions, convert, formatReport, htmlReport, repack } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { modelOpener } from "@nearside/converter/open-model";
import { expectClose } from "@nearside/core/testing";
import { createServer, openSession } from "@nearside/server";
import { connectSession } from "nearside";
import { describe, expect, onTestFinished, test } from "vitest";
import { noDawn, openDawn } from "../packages/runtime/testing/open-dawn.ts";
import { fixturesRoot, readGolden } from "./fixtures.ts";
import { runAsyncInTfjs } from "./run-in-tfjs.ts";

const fixtures = ["made/hash_table_int", "made/hash_table_multi"] as const;
const signature = "serving_default";
const absent = "the fixtures (../shared/fixtures) are not here";

describe("ids beyond int32", () => {
  describe.each(fixtures)("of %s", (name) => {
    const fixture = join(fixturesRoot ?? "", name); // tests skip without it

    test.for(["cpu", "wasm", "webgpu"] as const)(
      "are looked up exactly on %s, also where the model is repacked",
      async (backend, ctx) => {
        if (fixturesRoot === undefined) return ctx.skip(absent);
        if (backend === "webgpu" && !(await openDawn())) return ctx.skip(noDawn);
        const { folder } = await convertFixture(fixture);
        const repacked = await temporaryFolder();
        const report = await repack(readDirectory(folder), writeDirectory(repacked));
        expect(report).toMatchObject({ needsOwnRuntime: true, decimalInputs: ["ids"] });
        const cases = await readGolden(fixture, signature);
        for (const path of [folder, repacked]) {
          await using session = await openSession(path, { backend });
          expect(session.signature.inputs).toMatchObject({ ids: { dtype: "int64" } });
          for (const { inputs, outputs } of cases) expectClose(await session.run(inputs), outputs);
        }
      },
    );

    test("are nothing that stock TensorFlow.js computes", async (ctx) => {
      if (fixturesRoot === undefined) return ctx.skip(absent);
      const { folder } = await convertFixture(fixture);
      const ids = { dtype: "int64", shape: [1], data: BigInt64Array.of(7n) } as const;
      await expect(runAsyncInTfjs(folder, { ids })).rejects.toThrow(/must be string, but was int32/);
    });

    test("are verified beside golden values, and the reports name the input", async (ctx) => {
      if (fixturesRoot === undefined) return ctx.skip(absent);
      const verify = await readGolden(fixture, signature);
      const { report, folder } = await convertFixture(fixture, { verify, openModel: await modelOpener() });
      expect(report.verification).toMatchObject({ inputs: "golden", isOff: false });
      for (const text of [formatReport(report), htmlReport(report)]) expect(text).toContain("beyond int32");
      expect(await readFile(join(folder, "model.d.ts"), "utf8")).toContain('ids: Tensor<"int64">');
    });
  });

  test("come through every protocol of the server with all their digits", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip(absent);
    const { folder } = await convertFixture(join(fixturesRoot, "made/hash_table_int"));
    const models = [{ name: "table", basePath: folder }];
    await using server = createServer({ models, host: "127.0.0.1", restPort: 0 });
    await server.listen();
    const url = server.url as string; // it listens
    const post = async (path: string, body: string) => (await fetch(url + path, { method: "POST", body })).json();
    expect(await post("/v1/models/table:predict", '{"instances": [1099511627776, 1099511627777, 42]}')).toEqual({
      predictions: [
        { score: -9, value: 300 },
        { score: -9, value: -1 },
        { score: 1.5, value: 200 },
      ],
    });
    const input = '{"name": "ids", "shape": [2], "datatype": "INT64", "data": [1099511627776, 9007199254740993]}';
    const { outputs } = await post("/v2/models/table/infer", `{"inputs": [${input}]}`);
    expect(outputs).toContainEqual({ name: "value", shape: [2], datatype: "INT64", data: [300, -1] });
    await using session = await connectSession(url, "table");
    const ids = { dtype: "int64", shape: [1], data: BigInt64Array.of(2n ** 40n) } as const;
    expect(await session.run({ ids })).toMatchObject({ value: { data: BigInt64Array.of(300n) } });
  });
});

async function convertFixture(fixture: string, options: ConvertOptions = {}) {
  const folder = await temporaryFolder();
  const report = await convert(readDirectory(join(fixture, "saved_model")), writeDirectory(folder), options);
  return { folder, report };
}

async function temporaryFolder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return join(root, "model");
}
