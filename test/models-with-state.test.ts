import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import type { Session, Tensors } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import { createServer, openSession } from "@nearside/server";
import { connectSession } from "nearside";
import { describe, expect, onTestFinished, test } from "vitest";
import { fixturesRoot, readGolden } from "./fixtures.ts";
import { runInTfjs } from "./run-in-tfjs.ts";

const absent = "the fixtures (../shared/fixtures) are not here";

/** Signatures that change their variables, and how many. Each golden value is one of the first runs. */
const signatures = [
  { fixture: "made/stateful_counter", signature: "serving_default", variables: 2 },
  { fixture: "made/stateful_counter", signature: "reset", variables: 2 },
  { fixture: "public/serving-counter", signature: "incr_counter", variables: 1 },
  { fixture: "public/tf2onnx-assign", signature: "serving_default", variables: 1 },
] as const;

describe("models that change their variables give TensorFlow's results, run by run", () => {
  for (const { fixture, signature, variables } of signatures) {
    for (const backend of ["cpu", "wasm"] as const) {
      test(`${fixture}, ${signature}, on ${backend}`, async (ctx) => {
        if (fixturesRoot === undefined) return ctx.skip(absent);
        const { folder, report } = await convertFixture(join(fixturesRoot, fixture), signature);
        expect(report.state).toHaveLength(variables);
        await using session = await openSession(folder, { backend });
        const cases = await readGolden(join(fixturesRoot, fixture), signature);
        expect(cases.length).toBeGreaterThan(0);
        for (const { inputs, outputs } of cases) expectClose(await session.run(inputs), outputs);
      });
    }
  }

  test("public/dtln-stateful, on cpu", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip(absent);
    const fixture = join(fixturesRoot, "public/dtln-stateful");
    const { folder, report } = await convertFixture(fixture, "serving_default");
    expect(report.state).toHaveLength(8);
    await using session = await openSession(folder, { backend: "cpu" });
    const [golden] = await readGolden(fixture, "serving_default");
    const { inputs, outputs } = golden as NonNullable<typeof golden>; // it has one
    expectClose(await session.run(inputs), outputs);
    expect(await session.run(inputs)).not.toEqual(outputs);
  });
});

test("stock TensorFlow.js refuses a model with state for want of its variables", async (ctx) => {
  if (fixturesRoot === undefined) return ctx.skip(absent);
  const { folder } = await convertFixture(join(fixturesRoot, "public/serving-counter"), "incr_counter");
  await expect(runInTfjs(folder, {})).rejects.toThrow(/Missing the following inputs: \[counter\]/);
  const { nearside } = JSON.parse(await readFile(join(folder, "model.json"), "utf8"));
  expect(nearside.state).toEqual([{ input: "counter", output: expect.any(String), initial: "counter/initial" }]);
});

test("the clients of a server share a model's variables", async (ctx) => {
  if (fixturesRoot === undefined) return ctx.skip(absent);
  const { folder } = await convertFixture(join(fixturesRoot, "public/serving-counter"), "incr_counter");
  const models = [{ name: "counter", basePath: folder }];
  await using server = createServer({ models, host: "127.0.0.1", restPort: 0 });
  await server.listen();
  const count = async (session: Session): Promise<Tensors[string] | undefined> => (await session.run({})).output;
  await using first = await connectSession(server.url as string, "counter"); // it listens
  await using second = await connectSession(server.url as string, "counter");
  expect(await count(first)).toMatchObject({ data: Float32Array.of(1) });
  expect(await count(second)).toMatchObject({ data: Float32Array.of(2) });
});

test("a signature whose variables another one changes keeps its values, and the report says so", async (ctx) => {
  if (fixturesRoot === undefined) return ctx.skip(absent);
  const { report } = await convertFixture(join(fixturesRoot, "public/rust-regression-train-save-tf2"), "w");
  expect(report.notices).toEqual([
    'variable "w" is changed by signature "train" of the model, too; here it keeps the value that it was saved with',
  ]);
});

test("a signature that only TensorFlow calls is refused, with those that can be converted", async (ctx) => {
  if (fixturesRoot === undefined) return ctx.skip(absent);
  const converting = convertFixture(join(fixturesRoot, "public/tf-half-plus-two-v2"), "__saved_model_init_op");
  await expect(converting).rejects.toMatchObject({ code: "unsupported", message: /TensorFlow runs it itself/ });
});

async function convertFixture(fixture: string, signature: string) {
  const root = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, "model");
  const report = await convert(readDirectory(join(fixture, "saved_model")), writeDirectory(folder), { signature });
  return { folder, report };
}
