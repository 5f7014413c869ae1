import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { writeLargeModel } from "../converter/testing/write-large-model.ts";
import { measureProcess } from "./bench/measure-process.mjs";

const bin = fileURLToPath(new URL("../converter/bin/convert.js", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "nearside-memory-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The peak memory of converting so many variables, and the bytes of weights that were written. */
async function convertLarge(variables: number, variableBytes: number, flags: readonly string[]) {
  const name = `${variables}-of-${variableBytes}`;
  await writeLargeModel(join(folder, name), { variables, variableBytes });
  const output = join(folder, `${name}-converted`);
  const { peakBytes } = await measureProcess(process.execPath, [bin, join(folder, name), output, ...flags]);
  const { weightsManifest } = JSON.parse(await readFile(join(output, "model.json"), "utf8"));
  const shards: readonly { readonly bytes: number }[] = weightsManifest[0].shards;
  await rm(join(folder, name), { recursive: true });
  await rm(output, { recursive: true });
  return { peakBytes, weightBytes: shards.reduce((sum, { bytes }) => sum + bytes, 0) };
}

describe.skipIf(process.platform !== "linux")("the memory that a conversion takes", () => {
  test.each([
    ["as they are", [], 4],
    ["as uint8", ["--quantize_uint8=*"], 1],
  ])("doesn't grow with the weights, stored %s", { timeout: 120_000 }, async (_, flags, elementBytes) => {
    const [few, many] = [await convertLarge(1, 2 ** 24, flags), await convertLarge(3, 2 ** 26, flags)];
    expect(few.weightBytes).toBe((2 ** 24 * elementBytes) / 4 + 4); // and the axis
    expect(many.weightBytes).toBe((3 * 2 ** 26 * elementBytes) / 4 + 4);
    // There are 176 MiB more of weights, so this tells even where few of them stayed in memory.
    expect(many.peakBytes - few.peakBytes).toBeLessThan(2 ** 26);
    expect(many.peakBytes).toBeLessThan(2 ** 28);
  });
});
