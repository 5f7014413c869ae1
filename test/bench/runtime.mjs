import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { parseManifest } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import * as tf from "@tensorflow/tfjs";
import { exampleModels, findModels } from "./find-models.mjs";
import { median } from "./measure-process.mjs";

const backends = { cpu: openCpuBackend, wasm: openWasmBackend };
const usage = "npm run bench -- runtime [--models DIR] [--backend cpu|wasm] [--runs N]";

/**
 * Milliseconds of a warm run of each SavedModel below a folder, converted: by our plan, and by TensorFlow.js's own
 * executor, with the same kernels, weights and inputs, in turn in one process. Medians, and ours as a share of its.
 * Models that need ops of ours are left out.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: exampleModels },
      backend: { type: "string", default: "wasm" },
      runs: { type: "string", default: "50" },
    },
  });
  const runs = Number(values.runs);
  const open = backends[values.backend];
  if (!open || !Number.isInteger(runs) || runs < 1) throw new Error(usage);
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  const backend = await open();
  console.log(`Node ${process.version}, ${values.backend}, ${runs} runs each in turn, medians`);
  try {
    for (const { name, savedModel } of await findModels(values.models, usage)) {
      const target = join(folder, name);
      const { needsOwnRuntime } = await convert(readDirectory(savedModel), writeDirectory(target));
      if (needsOwnRuntime) console.log(`${name}: left out, it needs ops of ours`);
      else console.log(`${name}: ${await benchModel(target, backend, runs)}`);
    }
  } finally {
    await backend.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchModel(folder, backend, runs) {
  const text = await readFile(join(folder, "model.json"), "utf8");
  const manifest = parseManifest(text);
  const readShard = async ({ path }) => new Uint8Array(await readFile(join(folder, path))).buffer;
  const session = await openLocalSession(folder, { manifest, readShard }, backend);
  const model = await tf.loadGraphModel({ load: () => loadArtifacts(manifest, readShard) });
  const inputs = Object.fromEntries(Object.entries(manifest.signature.inputs).map(([key, spec]) => [key, zeros(spec)]));
  const ours = () => session.run(inputs);
  const isDynamic = /"op":"(Stateless)?(If|While|Switch|Merge|Enter|Where|NonMaxSuppression)/.test(text);
  const theirs = () => runStock({ model, isDynamic }, manifest, inputs);
  const times = { ours: [], theirs: [] };
  const refusal = await theirs().then(
    () => undefined,
    (error) => error.message,
  );
  for (const run of refusal ? [ours, ours] : [ours, theirs, ours]) await run(); // warm
  for (let count = 0; count < runs; count++) {
    times.ours.push(await measure(ours));
    if (!refusal) times.theirs.push(await measure(theirs));
  }
  model.dispose();
  await session.close();
  const [mine, stock] = [median(times.ours), median(times.theirs)];
  if (refusal) return `plan ${mine.toFixed(2)} ms; TensorFlow.js: ${refusal}`;
  return `plan ${mine.toFixed(2)} ms, TensorFlow.js's executor ${stock.toFixed(2)} ms: ${(mine / stock).toFixed(2)}×`;
}

async function measure(run) {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}

async function runStock(model, { inputNames, outputNames }, inputs) {
  const fed = Object.entries(inputs).map(([key, { dtype, shape, data }]) => [
    inputNames[key],
    tf.tensor(data, [...shape], dtype === "float32" ? "float32" : "int32"),
  ]);
  const names = Object.values(outputNames);
  const outputs = [await execute(model, Object.fromEntries(fed), names)].flat();
  await Promise.all(outputs.map((output) => output.data()));
  tf.dispose([outputs, ...fed.map(([, tensor]) => tensor)]);
}

/** By the faster of its ways, which runs no loops and branches. */
function execute({ model, isDynamic }, fed, names) {
  return isDynamic ? model.executeAsync(fed, names) : model.execute(fed, names);
}

async function loadArtifacts({ json, weightGroups }, readShard) {
  const shards = weightGroups.flatMap((group) => group.shards);
  const parts = await Promise.all(shards.map(readShard));
  return {
    ...json,
    weightSpecs: weightGroups.flatMap((group) => group.weights),
    weightData: await new Blob(parts).arrayBuffer(),
  };
}

function zeros({ dtype, shape }) {
  if (dtype !== "float32" && dtype !== "int32") throw new Error(`inputs of ${dtype}: not measured here`);
  const sizes = (shape ?? []).map((size) => size ?? 1);
  const count = sizes.reduce((product, size) => product * size, 1);
  return { dtype, shape: sizes, data: dtype === "float32" ? new Float32Array(count) : new Int32Array(count) };
}
