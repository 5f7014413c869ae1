import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, htmlReport, repack } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { modelOpener } from "@nearside/converter/open-model";
import { describe, expect, onTestFinished, test } from "vitest";
import { fixturesRoot, readGolden } from "./fixtures.ts";
import { readExample } from "./models.ts";
import { runInTfjs } from "./run-in-tfjs.ts";

describe("repack", () => {
  test("writes what converting so at once would have written", async () => {
    const { savedModel } = await readExample("digits");
    const [first, second, direct] = [await folder(), await folder(), await folder()];
    const options = { shardBytes: 5000, quantize: { uint8: ["*conv*"] } } as const;
    await convert(readDirectory(savedModel), writeDirectory(first));
    await repack(readDirectory(first), writeDirectory(second), options);
    await convert(readDirectory(savedModel), writeDirectory(direct), options);
    expect(await readFile(join(second, "model.json"), "utf8")).toBe(await readFile(join(direct, "model.json"), "utf8"));
  });

  test("keeps quantised weights as they are, byte for byte", async () => {
    const { savedModel } = await readExample("digits");
    for (const dtype of ["float16", "uint8", "uint16"] as const) {
      const [first, second] = [await folder(), await folder()];
      const { shards } = await convert(readDirectory(savedModel), writeDirectory(first), {
        quantize: { [dtype]: true },
      });
      expect((await repack(readDirectory(first), writeDirectory(second))).shards).toEqual(shards);
    }
  });

  test("reports the graph that it found, whatever stands in its attributes", async () => {
    const { savedModel } = await readExample("digits");
    const [first, second] = [await folder(), await folder()];
    const converted = await convert(readDirectory(savedModel), writeDirectory(first));
    const model = JSON.parse(await readFile(join(first, "model.json"), "utf8"));
    model.modelTopology.node[0].attr = { dtype: "DT_COMPLEX64", T: { type: "DT_COMPLEX64" } };
    await writeFile(join(first, "model.json"), JSON.stringify(model));
    const { details, variables } = await repack(readDirectory(first), writeDirectory(second));
    const namesOf = ({ graphs }: typeof details) => graphs.map(({ nodes }) => nodes.map(({ name }) => name));
    expect(namesOf(details)).toEqual(namesOf(converted.details));
    expect(variables.bytes).toBe(converted.weightBytes);
    expect(htmlReport(await repack(readDirectory(first), writeDirectory(second)))).toContain(
      "The graph stayed as it is",
    );
  });

  test("reads the Python converter's models", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    const fixture = join(fixturesRoot, "made/k3_conv_bn_relu");
    const output = await folder();
    await repack(readDirectory(join(fixture, "reference/tfjs")), writeDirectory(output), {
      shardBytes: 300,
      quantize: { uint16: true },
      metadata: { card: { licence: "CC0" } },
    });
    const [golden] = await readGolden(fixture, "serving_default");
    const outputs = await runInTfjs(output, golden?.inputs ?? {});
    for (const [key, { data }] of Object.entries(golden?.outputs ?? {})) {
      for (const [index, value] of [...data].entries()) expect(outputs[key]?.data[index]).toBeCloseTo(Number(value), 3);
    }
    const { userDefinedMetadata } = JSON.parse(await readFile(join(output, "model.json"), "utf8"));
    expect(userDefinedMetadata).toEqual({ card: { licence: "CC0" } });
  });

  test("verifies what it wrote beside the model as it was", async () => {
    const { savedModel, golden } = await readExample("digits");
    const [first, second] = [await folder(), await folder()];
    await convert(readDirectory(savedModel), writeDirectory(first));
    const options = { verify: golden, openModel: await modelOpener(), quantize: { float16: true } } as const;
    const { verification } = await repack(readDirectory(first), writeDirectory(second), options);
    expect(verification).toMatchObject({ inputs: "golden", runs: golden.length, isOff: false });
    const { source, golden: beside } = verification ?? {};
    for (const error of [source?.probabilities, beside?.probabilities]) {
      expect(error?.relative).toBeGreaterThan(0);
      expect(error?.relative).toBeLessThan(1e-2);
    }
  });

  test("keeps the ops of ours that the model names: its functions may have them", async () => {
    const { savedModel } = await readExample("linear-regression");
    const [first, second] = [await folder(), await folder()];
    await convert(readDirectory(savedModel), writeDirectory(first));
    const path = join(first, "model.json");
    const model = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...model, nearside: { ops: ["Roll"] } }));
    const { ownOps, needsOwnRuntime } = await repack(readDirectory(first), writeDirectory(second));
    expect({ ownOps, needsOwnRuntime }).toEqual({ ownOps: ["Roll"], needsOwnRuntime: true });
    const repacked = JSON.parse(await readFile(join(second, "model.json"), "utf8"));
    expect(repacked.nearside).toEqual({ ops: ["Roll"] });
  });

  test("refuses JSON that is nested too deep to be written again", async () => {
    const { savedModel } = await readExample("linear-regression");
    const [first, second] = [await folder(), await folder()];
    await convert(readDirectory(savedModel), writeDirectory(first));
    const json = await readFile(join(first, "model.json"), "utf8");
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    await writeFile(join(first, "model.json"), json.replace(/}$/, `,"deep":${deep}}`));
    await expect(repack(readDirectory(first), writeDirectory(second))).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringContaining("lists and objects in each other"),
    });
  });

  test("refuses shards that don't fit, and leaves no output", async () => {
    const { savedModel } = await readExample("digits");
    const [first, second] = [await folder(), await folder()];
    const { shards } = await convert(readDirectory(savedModel), writeDirectory(first));
    const damages: readonly (readonly [(copy: string) => Promise<void>, RegExp])[] = [
      [(copy) => rm(join(copy, shards[0]?.path ?? "")), /expected that file, got none/],
      [(copy) => writeFile(join(copy, shards[0]?.path ?? ""), "short"), /expected \d+ bytes, got 5/],
      [
        (copy) => writeFile(join(copy, shards[0]?.path ?? ""), new Uint8Array(shards[0]?.bytes ?? 0)),
        /expected SHA-256 [0-9a-f]+, got [0-9a-f]+/,
      ],
      [(copy) => rm(join(copy, "model.json")), /model\.json: no such file/],
    ];
    for (const [damage, message] of damages) {
      const copy = await folder();
      await cp(first, copy, { recursive: true });
      await damage(copy);
      await expect(repack(readDirectory(copy), writeDirectory(join(second, "out")))).rejects.toThrow(message);
    }
  });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
