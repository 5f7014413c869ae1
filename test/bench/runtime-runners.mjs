import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseManifest } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import * as tf from "@tensorflow/tfjs";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { RecordingWebgpuBackend } from "../../packages/runtime/dist/backends/recording-webgpu-backend.js";
import { watchDevice } from "../../packages/runtime/dist/backends/watch-device.js";
import { measureTiles } from "../../packages/runtime/dist/products/measure-tiles.js";
import { registerProductKernels } from "../../packages/runtime/dist/products/product-kernels.js";
import { compileShaders } from "../../packages/runtime/dist/tape/compile-shaders.js";
import { recordTape } from "../../packages/runtime/dist/tape/record-tape.js";
import { cpuMs, runEarly } from "./measure-in-turn.mjs";

const openers = {
  cpu: openCpuBackend,
  wasm: openWasmBackend,
  webgpu: () => openDawnBackend([], (gpu) => openWebgpuBackend({ gpu })),
  "webgpu-measured": () => openDawnBackend([], openMeasured),
  "webgpu-null": () => openDawnBackend(["backend=null"], openUntested),
};

/** Loads a backend of ours, and beside it what is TensorFlow.js's own. */
export async function startBackend(name, usage) {
  if (!Object.hasOwn(openers, name)) throw new Error(usage);
  const loaded = await openers[name]();
  return {
    description: name,
    stock: name,
    computes: name !== "webgpu-null",
    idle: async () => {},
    countCommands: async () => undefined,
    lastSubmitMs: () => undefined,
    name,
    ...loaded,
    loaded,
  };
}

/** Ours on a device of Dawn, and TensorFlow.js's WebGPU backend as it is, with its kernels, on another. */
async function openDawnBackend(flags, open) {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create(flags);
  const loaded = await open(gpu);
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  const device = await adapter.requestDevice();
  tf.registerBackend("stock", () => new WebGPUBackend(device, adapter.info), 1);
  tf.copyRegisteredKernels("webgpu", "stock");
  const { vendor, architecture, description } = adapter.info;
  return {
    ...loaded,
    stock: "stock",
    description: `webgpu by Dawn on ${[vendor, architecture, description, ...flags].filter(Boolean).join(" ")}`,
    idle: async () => {
      await Promise.all([device, tf.backend().device].map(({ queue }) => queue.onSubmittedWorkDone()));
    },
    countCommands: countDispatches,
    lastSubmitMs: noteSubmits(),
    async close() {
      tf.removeBackend("stock");
      device.destroy();
      await loaded.close();
    },
  };
}

/** Ours with the products that are measured to be faster, also on a device of software. */
async function openMeasured(gpu) {
  const loaded = await openWebgpuBackend({ gpu });
  const startMs = performance.now();
  tf.backend().tileChoices = {}; // so that TensorFlow.js's kernels are those that are measured
  tf.backend().tileChoices = await measureTiles(tf.backend(), Number.POSITIVE_INFINITY);
  console.log(`measured in ${Math.round(performance.now() - startMs)} ms: ${JSON.stringify(tf.backend().tileChoices)}`);
  return loaded;
}

/** Ours on a device that computes nothing, and so would not pass the test of a backend. */
async function openUntested(gpu) {
  globalThis.navigator ??= {}; // Node 20 has none
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true }); // TensorFlow.js looks whether it is there
  const adapter = await gpu.requestAdapter();
  const device = await adapter.requestDevice();
  registerProductKernels();
  const recording = new RecordingWebgpuBackend(device, adapter.info);
  tf.registerBackend("webgpu", () => recording);
  await tf.setBackend("webgpu");
  const { watch, throwIfLost } = watchDevice(device);
  return {
    name: "webgpu",
    watch,
    ahead: {
      compile: (inputs, run, onProgress) => compileShaders(recording, inputs, run, onProgress),
      record: (inputs, run) => recordTape(recording, inputs, run, throwIfLost),
    },
    memory: () => ({ deviceBytes: recording.bufferPool.numBytesAllocated }),
    async close() {
      tf.removeBackend("webgpu");
      device.destroy();
    },
  };
}

/** Notes what the CPU clock of this thread showed when commands were last submitted to any device. */
function noteSubmits() {
  const prototype = GPUQueue.prototype;
  const submit = prototype.submit;
  let lastMs;
  prototype.submit = function (...args) {
    submit.apply(this, args);
    lastMs = cpuMs();
  };
  return () => lastMs;
}

/** How many commands a run has passes of any device dispatch. */
async function countDispatches(run) {
  const prototype = GPUComputePassEncoder.prototype;
  const dispatch = prototype.dispatchWorkgroups;
  let count = 0;
  prototype.dispatchWorkgroups = function (...args) {
    count++;
    return dispatch.apply(this, args);
  };
  try {
    await run();
    return count;
  } finally {
    prototype.dispatchWorkgroups = dispatch;
  }
}

/**
 * Everyone who runs a model, ready to run: ours by tape where there are tapes, ours by plan, TensorFlow.js twice, and
 * ONNX Runtime where it is installed (`npm install --no-save --ignore-scripts onnxruntime-node`) and has a file.
 */
export async function openRunners({ target, reference, onnx, needsOwnRuntime }, backend, pixels) {
  const files = await readModel(target, pixels);
  const inputs = sampleInputs(files.manifest.signature.inputs);
  const { ahead, ...byPlan } = backend.loaded;
  const runners = [];
  const add = async (opening) => runners.push(await runEarly(await opening, backend));
  if (ahead) await add(openOurs("tape", files, inputs, backend, backend.loaded));
  await add(openOurs("plan", files, inputs, backend, byPlan));
  if (!needsOwnRuntime) await add(openStock("TensorFlow.js, of ours", files, inputs, backend));
  if (reference) {
    await add(openStock("TensorFlow.js, of the Python converter", await readModel(reference, pixels), inputs, backend));
  }
  if (onnx && !pixels) {
    for (const provider of backend.name === "webgpu" ? ["cpu", "webgpu"] : ["cpu"]) {
      try {
        await add(openOnnx(provider, onnx, inputs));
      } catch (error) {
        console.log(`  ONNX Runtime, ${provider}: left out: ${error.message.split("\n")[0]}`);
      }
    }
  }
  return runners;
}

async function openOnnx(provider, onnx, inputs) {
  const { InferenceSession, Tensor } = (await import("onnxruntime-node")).default;
  const startMs = performance.now();
  const session = await InferenceSession.create(onnx, { executionProviders: [provider], intraOpNumThreads: 1 });
  return {
    name: `ONNX Runtime, ${provider}`,
    openMs: performance.now() - startMs,
    bytes: () => undefined,
    select: async () => {},
    async run() {
      const fed = Object.entries(inputs).map(([key, { dtype, shape, data }]) => [key, new Tensor(dtype, data, shape)]);
      return Object.values(await session.run(Object.fromEntries(fed))).map(({ data }) => data);
    },
    close: () => session.release(),
  };
}

async function openOurs(name, files, inputs, backend, loaded) {
  await tf.setBackend(backend.name);
  const startMs = performance.now();
  const session = await openLocalSession(name, files, loaded);
  return {
    name,
    openMs: performance.now() - startMs,
    bytes: () => loaded.memory().deviceBytes,
    select: () => tf.setBackend(backend.name),
    run: async () => Object.values(await session.run(inputs)).map(({ data }) => data),
    close: () => session.close(),
  };
}

async function openStock(name, { manifest, readShard }, inputs, backend) {
  await tf.setBackend(backend.stock);
  const { inputNames, outputNames, signature } = manifest;
  const startMs = performance.now();
  const model = await tf.loadGraphModel({ load: () => loadArtifacts(manifest, readShard) });
  const isDynamic = /"op":"(Stateless)?(If|While|Switch|Merge|Enter|Where|NonMaxSuppression)/.test(
    JSON.stringify(manifest.json.modelTopology),
  );
  return {
    name,
    openMs: performance.now() - startMs,
    bytes: () => tf.memory().numBytesInGPUAllocated ?? tf.memory().numBytes,
    select: () => tf.setBackend(backend.stock),
    async run() {
      const fed = Object.fromEntries(
        Object.entries(inputs).map(([key, { dtype, shape, data }]) => [
          inputNames[key] ?? inputNames[Object.keys(signature.inputs)[0]],
          tf.tensor(data, [...shape], dtype === "float32" ? "float32" : "int32"),
        ]),
      );
      const names = Object.values(outputNames);
      const outputs = [isDynamic ? await model.executeAsync(fed, names) : model.execute(fed, names)].flat();
      const values = await Promise.all(outputs.map((output) => output.data()));
      tf.dispose([outputs, ...Object.values(fed)]);
      return values;
    },
    close: async () => model.dispose(),
  };
}

async function readModel(folder, pixels) {
  const text = await readFile(join(folder, "model.json"), "utf8");
  const json = pixels ? text.replaceAll(/\{\s*"size":\s*"(224)"\s*\}/g, `{"size":"${pixels}"}`) : text;
  return {
    manifest: parseManifest(json),
    readShard: async ({ path }) => new Uint8Array(await readFile(join(folder, path))).buffer,
  };
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

/** Numbers from −1 to 1 for floats, zeros for the rest, and 1 for free dimensions. */
function sampleInputs(inputs) {
  return Object.fromEntries(
    Object.entries(inputs).map(([key, { dtype, shape }]) => {
      if (dtype !== "float32" && dtype !== "int32") throw new Error(`inputs of ${dtype}: not measured here`);
      const sizes = (shape ?? []).map((size) => size ?? 1);
      const count = sizes.reduce((product, size) => product * size, 1);
      const data =
        dtype === "float32" ? Float32Array.from({ length: count }, (_, at) => Math.sin(at)) : new Int32Array(count);
      return [key, { dtype, shape: sizes, data }];
    }),
  );
}
