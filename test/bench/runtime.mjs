import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { exampleModels, findModels } from "./find-models.mjs";
import { measureInTurn } from "./measure-in-turn.mjs";
import { openRunners, startBackend } from "./runtime-runners.mjs";

const usage =
  "npm run bench -- runtime [--models DIR] [--backend cpu|wasm|webgpu] [--runs N] [--pixels N] [--output DIR]";

/**
 * Runs each SavedModel below a folder, converted, by our plan (on WebGPU by tape, too) and by TensorFlow.js's own
 * executor, which also runs what the Python converter made where that lies beside (`reference`), and by ONNX Runtime
 * where there is a `model.onnx` (make-peers.py makes both): the same weights and inputs, in turn in one process. Prints for each the milliseconds to its first result, to have all
 * commands encoded, and to the result when warm, commands and bytes on the device, and ratios of ours to its. `--pixels`
 * gives images another size.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: exampleModels },
      backend: { type: "string", default: "wasm" },
      runs: { type: "string", default: "50" },
      pixels: { type: "string" },
      output: { type: "string", default: fileURLToPath(new URL("../results", import.meta.url)) },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(usage);
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  const backend = await startBackend(values.backend, usage);
  const surroundings = { node: process.version, cpu: cpus()[0]?.model, backend: backend.description, runs };
  console.log(`Node ${process.version}, ${surroundings.cpu}, ${backend.description}, ${runs} runs each in turn`);
  const models = {};
  try {
    for (const { name, savedModel } of await findModels(values.models, usage)) {
      const target = join(folder, name);
      const { needsOwnRuntime } = await convert(readDirectory(savedModel), writeDirectory(target));
      const beside = (...names) => names.map((each) => join(savedModel, "..", each)).find((path) => existsSync(path));
      const reference = beside("reference/model.json", "reference/serving_default/model.json");
      const folders = {
        target,
        reference: reference && dirname(reference),
        onnx: beside("model.onnx"),
        needsOwnRuntime,
      };
      models[name] = await benchModel(name, folders, backend, { runs, pixels: values.pixels });
    }
    await mkdir(values.output, { recursive: true });
    const file = join(values.output, `runtime-${values.backend}${values.pixels ? `-${values.pixels}` : ""}.json`);
    await writeFile(file, `${JSON.stringify({ ...surroundings, models }, null, 2)}\n`);
    console.log(`written: ${file}`);
  } finally {
    await backend.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchModel(name, folders, backend, { runs, pixels }) {
  console.log(
    `${name}${pixels ? ` at ${pixels} pixels` : ""}${folders.needsOwnRuntime ? ", which needs ops of ours" : ""}`,
  );
  const runners = await openRunners(folders, backend, pixels);
  try {
    const rows = await measureInTurn(runners, { runs, idle: backend.idle });
    console.table(Object.fromEntries(rows.map(({ name: row, ...figures }) => [row, figures])));
    const stock = rows.find(({ name: row }) => row === "TensorFlow.js");
    for (const row of rows) {
      if (!stock || row === stock) continue;
      const ratios = ["first ms", "encode ms", "µs/command", "warm p50 ms"]
        .filter((figure) => row[figure] > 0 && stock[figure] > 0)
        .map((figure) => `${figure.replace(/ ms$/, "")} ${(row[figure] / stock[figure]).toFixed(3)}×`);
      console.log(`  ${row.name}, beside TensorFlow.js on the same files: ${ratios.join(", ")}`);
    }
    return rows;
  } finally {
    for (const runner of runners) await runner.close();
  }
}
