import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { drawChart } from "./draw-chart.mjs";
import { exampleModels, findModels } from "./find-models.mjs";
import { measureInTurn } from "./measure-in-turn.mjs";
import { openRunners, startBackend } from "./runtime-runners.mjs";

const usage =
  "npm run bench -- runtime [--models DIR] [--backend cpu|wasm|webgpu|webgpu-measured|webgpu-null] [--runs N] [--pixels N] [--output DIR]";

/**
 * Runs each SavedModel below a folder, converted, by our plan (on WebGPU by tape, too) and by TensorFlow.js's own
 * executor, which also runs what the Python converter made where that lies beside (`reference`), and by ONNX Runtime
 * where there is a `model.onnx` (make-peers.py makes both): the same weights and inputs, in turn in one process. Prints
 * for each the milliseconds to open it (warm-up included, where there is one), of the first run and the tenth, until all
 * commands are submitted, and to the result when warm, commands and bytes on the device, and ratios of ours to its; draws
 * a chart. `webgpu-null` is a device that computes nothing: runs follow each other as on a fast one, which the time to
 * encode commands is to be measured with. `--pixels` gives images another size.
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
    const file = join(values.output, `runtime-${values.backend}${values.pixels ? `-${values.pixels}` : ""}`);
    await writeFile(`${file}.json`, `${JSON.stringify({ ...surroundings, models }, null, 2)}\n`);
    await writeFile(`${file}.svg`, drawChart(chartOf(surroundings, models)));
    console.log(`written: ${file}.json and .svg`);
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
    const rows = await measureInTurn(runners, backend, runs);
    console.table(Object.fromEntries(rows.map(({ name: row, ...figures }) => [row, figures])));
    for (const row of rows.filter(({ name }) => name.startsWith("TensorFlow.js"))) {
      for (const ours of rows.filter(isOurs)) {
        const ratios = ["open ms", "1st ms", "encode ms", "p50 ms"]
          .filter((figure) => ours[figure] > 0 && row[figure] > 0)
          .map((figure) => `${figure.replace(/ ms$/, "")} ${(ours[figure] / row[figure]).toFixed(3)}×`);
        console.log(`  ${ours.name} beside ${row.name}: ${ratios.join(", ")}`);
      }
    }
    return rows;
  } finally {
    for (const runner of runners) await runner.close();
  }
}

function chartOf({ node, cpu, backend }, models) {
  const figures = ["open ms", "encode ms", "p50 ms"];
  const isKnown = (figure) => Object.values(models).every((rows) => rows.every((row) => row[figure] !== undefined));
  const columns = figures.filter(isKnown);
  return {
    title: `${backend}, Node ${node}, ${cpu}`,
    columns,
    groups: Object.entries(models).map(([name, rows]) => ({
      name,
      rows: rows.map((row) => ({
        name: row.name,
        isOurs: isOurs(row),
        bars: columns.map((figure) => ({ lengths: [row[figure]], label: `${row[figure]}` })),
      })),
    })),
  };
}

function isOurs({ name }) {
  return name === "tape" || name === "plan";
}
