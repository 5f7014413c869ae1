import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { parseManifest } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { backend as tfjsBackend } from "@tensorflow/tfjs-core";
import { createGpu } from "./create-gpu.mjs";
import { exampleModels, findModels } from "./find-models.mjs";
import { median } from "./measure-process.mjs";
import { errorsOf, randomInputs, randomNumbers } from "./random-runs.mjs";

const usage = "npm run bench -- precision [--models DIR] [--runs N]";

/**
 * Each SavedModel below a folder, converted, on WebGPU with products of float32 and of float16: how far the outputs
 * differ on the same random inputs, the bytes of weights on the device, and medians of warm runs. Runs in Deno, too.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: exampleModels },
      runs: { type: "string", default: "8" },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(usage);
  const gpu = await createGpu();
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  try {
    for (const { name, savedModel } of await findModels(values.models, usage)) {
      const target = join(folder, name);
      await convert(readDirectory(savedModel), writeDirectory(target));
      const full = await run(target, { gpu, precision: "float32", runs });
      const half = await run(target, { gpu, precision: "float16", runs });
      const { max, relative } = errorsOf(half.outputs, full.outputs);
      const errors = `max |error| ${max.toExponential(2)}, ${(100 * relative).toFixed(3)} % RMS`;
      const bytes = `${(half.bytes / 1e6).toFixed(2)} MB of weights for ${(full.bytes / 1e6).toFixed(2)}`;
      const times = `${half.ms.toFixed(1)} ms for ${full.ms.toFixed(1)} (${(half.ms / full.ms).toFixed(2)}×)`;
      console.log(`${name}, float16 (${half.elements}) beside float32: ${errors}; ${bytes}; ${times}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.exit(0); // Dawn's threads would keep it alive
}

async function run(folder, { gpu, precision, runs }) {
  const manifest = parseManifest(await readFile(join(folder, "model.json"), "utf8"));
  const readShard = async ({ path }) => new Uint8Array(await readFile(join(folder, path))).buffer;
  const backend = await openWebgpuBackend({ gpu });
  const before = backend.memory().deviceBytes;
  const session = await openLocalSession(folder, { manifest, readShard }, backend, { warmUp: false, precision });
  const bytes = backend.memory().deviceBytes - before; // before the first run, these are the weights
  const elements = tfjsBackend().device.features.has("shader-f16") ? "the device's" : "rounded float32";
  const random = randomNumbers(1);
  await session.run(randomInputs(session.signature, randomNumbers(2)));
  const [outputs, times] = [[], []];
  for (let count = 0; count < runs; count++) {
    const inputs = randomInputs(session.signature, random);
    const startMs = performance.now();
    const computed = Object.values(await session.run(inputs));
    times.push(performance.now() - startMs);
    outputs.push(...computed.filter(({ dtype }) => dtype === "float32").map(({ data }) => data));
  }
  await session.close();
  await backend.close();
  return { outputs, bytes, elements, ms: median(times) };
}
