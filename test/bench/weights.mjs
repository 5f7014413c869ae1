import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { exampleModels, findModels } from "./find-models.mjs";
import { median } from "./measure-process.mjs";

const usage = "npm run bench -- weights [--models DIR] [--backends wasm,webgpu] [--runs N]";
const quantizations = { float32: {}, float16: { float16: true }, uint8: { uint8: true }, int8: { int8: true } };
const loadOnce = fileURLToPath(new URL("load-weights-once.mjs", import.meta.url));
const run = promisify(execFile);

/**
 * Loads the weights of each SavedModel below a folder, converted, each time in a new process: by our loader and by
 * TensorFlow.js's decoder, in turn, onto the same backend. Milliseconds until all is handed over and until the device
 * is done (SwiftShader expands on the CPU what a GPU does in no time), and how much the process grew at most meanwhile;
 * medians, and ours as a share of the other's. Linux only.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: exampleModels },
      backends: { type: "string", default: "wasm,webgpu" },
      runs: { type: "string", default: "7" },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(usage);
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  try {
    for (const { name, savedModel } of await findModels(values.models, usage)) {
      for (const [dtype, quantize] of Object.entries(quantizations)) {
        const target = join(folder, name, dtype);
        const { weightBytes } = await convert(readDirectory(savedModel), writeDirectory(target), { quantize });
        for (const backend of values.backends.split(",")) {
          const size = `${(weightBytes / 1e6).toFixed(1)} MB`;
          console.log(`${name}, ${dtype} (${size}), ${backend}: ${await benchLoading(target, backend, runs)}`);
        }
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchLoading(folder, backend, runs) {
  const results = { ours: [], stock: [] };
  for (let count = 0; count < runs; count++) {
    for (const [loader, measured] of Object.entries(results)) {
      const { stdout } = await run(process.execPath, ["--expose-gc", loadOnce, folder, backend, loader]);
      measured.push(JSON.parse(stdout));
    }
  }
  const of = (loader, key) => median(results[loader].map((result) => result[key]));
  const compare = (key, format) => {
    const [ours, stock] = [of("ours", key), of("stock", key)];
    return `${format(ours)}, TensorFlow.js ${format(stock)}: ${(ours / stock).toFixed(2)}×`;
  };
  const [ms, bytes] = [(value) => `${value.toFixed(1)} ms`, (value) => `${(value / 1e6).toFixed(1)} MB`];
  const done = backend === "webgpu" ? `; done after ${compare("doneMs", ms)}` : "";
  return `${compare("handedMs", ms)}${done}; peak ${compare("peakBytes", bytes)}`;
}
