import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { exampleModels, findModels } from "./find-models.mjs";
import { measureProcess, median } from "./measure-process.mjs";

const convertCli = fileURLToPath(new URL("../../converter/bin/convert.js", import.meta.url));
const usage = "converter [--models DIR] [--python PYTHON] [--runs N]";

/**
 * Whole-process wall seconds and peak memory of converting each SavedModel below a folder: ours, and where a Python
 * with tensorflowjs is given, the reference's. The medians of alternating runs, and ours as a share of the reference's.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: exampleModels },
      python: { type: "string" },
      runs: { type: "string", default: "5" },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new Error(`--runs ${values.runs}: expected a number ≥ 1; npm run bench -- ${usage}`);
  const output = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  console.log(`Node ${process.version}, ${runs} runs each, medians`);
  try {
    for (const { name, savedModel } of await findModels(values.models, usage)) {
      console.log(await benchModel(name, savedModel, { output, runs, python: values.python }));
    }
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}

async function benchModel(name, savedModel, { output, runs, python }) {
  const ours = [];
  const reference = [];
  for (let run = 0; run < runs; run++) {
    ours.push(await measureProcess(process.execPath, [convertCli, savedModel, join(output, "ours")]));
    if (python) reference.push(await measureProcess(python, referenceArgs(savedModel, join(output, "reference"))));
  }
  const [mine, theirs] = [summarise(ours), summarise(reference)];
  const line = `${name}: ${format(mine)}`;
  if (!python) return line;
  const [seconds, bytes] = [theirs.seconds / mine.seconds, theirs.peakBytes / mine.peakBytes];
  return `${line}; reference ${format(theirs)}; ${seconds.toFixed(1)}× faster, ${bytes.toFixed(1)}× leaner`;
}

function referenceArgs(savedModel, output) {
  return ["-m", "tensorflowjs.converters.converter", "--input_format=tf_saved_model", savedModel, output];
}

function summarise(measurements) {
  return {
    seconds: median(measurements.map(({ seconds }) => seconds)),
    peakBytes: median(measurements.map(({ peakBytes }) => peakBytes)),
  };
}

function format({ seconds, peakBytes }) {
  return `${seconds.toFixed(2)} s, ${Math.round(peakBytes / 1e6)} MB`;
}
