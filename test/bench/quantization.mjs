import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { openSession } from "@nearside/server";
import { exampleModels, findModels } from "./find-models.mjs";
import { errorsOf, randomInputs, randomNumbers } from "./random-runs.mjs";

const quantizations = { float32: {}, float16: { float16: true }, uint8: { uint8: true }, int8: { int8: true } };

/**
 * Bytes and output errors of each SavedModel below a folder, by the type of its weights: errors beside the float32
 * model, over all outputs of float32, on the same random inputs; ratios are to uint8 per tensor.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: exampleModels },
      runs: { type: "string", default: "16" },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  try {
    for (const { name, savedModel } of await findModels(values.models, "quantization [--models DIR] [--runs N]")) {
      console.log(`${name}, ${values.runs} random inputs`);
      await benchModel(savedModel, folder, Number(values.runs));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchModel(savedModel, folder, runs) {
  const rows = [];
  let want;
  for (const [dtype, quantize] of Object.entries(quantizations)) {
    const output = join(folder, dtype);
    const { weightBytes } = await convert(readDirectory(savedModel), writeDirectory(output), { quantize });
    const got = await run(output, runs);
    want ??= got;
    rows.push({ dtype, weightBytes, folderBytes: await sizeOf(output), ...errorsOf(got, want) });
  }
  const uint8 = rows.find(({ dtype }) => dtype === "uint8");
  for (const { dtype, weightBytes, folderBytes, max, rms, relative } of rows) {
    const errors = `max |error| ${max.toExponential(2)}, RMS ${rms.toExponential(2)} (${(100 * relative).toFixed(2)} %)`;
    const ratios = `${(weightBytes / uint8.weightBytes).toFixed(3)}× the bytes, ${(max / uint8.max).toFixed(2)}× max, ${(rms / uint8.rms).toFixed(2)}× RMS`;
    console.log(
      `  ${dtype.padEnd(8)} ${weightBytes} bytes of weights, ${folderBytes} in all; ${errors}; ${ratios} of uint8's`,
    );
  }
}

/** The float32 outputs of some runs on random inputs, the same ones for every model with this signature. */
async function run(folder, runs) {
  const session = await openSession(folder, { warmUp: false });
  try {
    const random = randomNumbers(1);
    const outputs = [];
    for (let count = 0; count < runs; count++) {
      const computed = Object.values(await session.run(randomInputs(session.signature, random)));
      outputs.push(...computed.filter(({ dtype }) => dtype === "float32").map(({ data }) => data));
    }
    return outputs;
  } finally {
    await session.close();
  }
}

async function sizeOf(folder) {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
