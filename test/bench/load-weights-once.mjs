// Loads a model's weights once, in a process of its own: node load-weights-once.mjs FOLDER wasm|webgpu ours|stock
import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dequantize, parseManifest } from "@nearside/core";
import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { backend, io } from "@tensorflow/tfjs-core";
import { currentDevice } from "../../packages/runtime/dist/plan/device.js";
import { byteReader } from "../../packages/runtime/dist/weights/byte-reader.js";
import { loadWeights } from "../../packages/runtime/dist/weights/load-weights.js";
import { storedWeight } from "../../packages/runtime/dist/weights/stored-weight.js";
import { createGpu } from "./create-gpu.mjs";

const [folder, backendName, loader] = process.argv.slice(2);
const backends = { wasm: openWasmBackend, webgpu: async () => openWebgpuBackend({ gpu: await createGpu() }) };
const loaders = { ours: (manifest) => loadWeights(manifest, shards(manifest), currentDevice()), stock: loadStock };

await backends[backendName]();
const manifest = parseManifest(await readFile(join(folder, "model.json"), "utf8"));
globalThis.gc();
const [startMs, startBytes] = [performance.now(), resetPeak()];
await loaders[loader](manifest);
const handedMs = performance.now() - startMs;
await backend().device?.queue.onSubmittedWorkDone();
console.log(JSON.stringify({ handedMs, doneMs: performance.now() - startMs, peakBytes: peakBytes() - startBytes }));
process.exit(0); // Dawn's threads would keep it alive

async function* shards({ weightGroups }) {
  for (const { shards } of weightGroups) {
    for (const { path } of shards) yield new Uint8Array(await readFile(join(folder, path))).buffer;
  }
}

/** TensorFlow.js's decoder; int8, which it doesn't know, is made float32 in JavaScript before. */
function loadStock(manifest) {
  const weights = manifest.weightGroups.flatMap((group) => group.weights);
  const isPerChannel = ({ quantization }) => quantization?.dtype === "int8";
  if (!weights.some(isPerChannel)) return io.decodeWeightsStream(ReadableStream.from(shards(manifest)), weights);
  const specs = weights.map((weight) => (isPerChannel(weight) ? { ...weight, quantization: undefined } : weight));
  for (const spec of specs) if (spec.quantization === undefined) delete spec.quantization; // it asks whether it is there
  return io.decodeWeightsStream(ReadableStream.from(decodeChannels(manifest, weights)), specs);
}

async function* decodeChannels(manifest, weights) {
  const bytes = byteReader(shards(manifest));
  for (const weight of weights) {
    const { name, shape, quantization } = weight;
    const stored = await bytes.take(storedWeight(weight).storedBytes, name);
    yield quantization?.dtype === "int8" ? dequantize(stored, quantization, shape).buffer : stored.slice().buffer;
  }
}

/** Makes the peak that Linux remembers that of now, and returns it: the resident bytes. */
function resetPeak() {
  writeFileSync("/proc/self/clear_refs", "5");
  return peakBytes();
}

function peakBytes() {
  return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
}
