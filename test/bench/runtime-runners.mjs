import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseManifest } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import * as tf from "@tensorflow/tfjs";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

const openers = { cpu: openCpuBackend, wasm: openWasmBackend, webgpu: openDawnBackend };

/** Loads a backend of ours, and beside it what is TensorFlow.js's own. */
export async function startBackend(name, usage) {
  if (!Object.hasOwn(openers, name)) throw new Error(usage);
  const loaded = await openers[name]();
  return {
    description: name,
    stock: name,
    idle: async () => {},
    submit: () => {},
    countCommands: () => 0,
    name,
    ...loaded,
    loaded,
  };
}

/** Ours on a device of Dawn, and TensorFlow.js's WebGPU backend as it is, with its kernels, on another. */
async function openDawnBackend() {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const loaded = await openWebgpuBackend({ gpu });
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  const device = await adapter.requestDevice();
  tf.registerBackend("stock", () => new WebGPUBackend(device, adapter.info), 1);
  tf.copyRegisteredKernels("webgpu", "stock");
  const { vendor, architecture, description } = adapter.info;
  return {
    ...loaded,
    stock: "stock",
    description: `webgpu by Dawn on ${[vendor, architecture, description].filter(Boolean).join(" ")}`,
    idle: async () => {
      await Promise.all([device, tf.backend().device].map(({ queue }) => queue.onSubmittedWorkDone()));
    },
    // Stock TensorFlow.js keeps the last commands back until something is read.
    submit() {
      const stock = tf.backend();
      if (stock.commandEncoder === null) return;
      stock.endComputePassEncoder();
      stock.submitQueue();
    },
    countCommands: countDispatches(),
    async close() {
      tf.removeBackend("stock");
      device.destroy();
      await loaded.close();
    },
  };
}

/** Counts what passes of any device are told to dispatch. */
function countDispatches() {
  const prototype = GPUComputePassEncoder.prototype;
  const dispatch = prototype.dispatchWorkgroups;
  let count = 0;
  prototype.dispatchWorkgroups = function (...args) {
    count++;
    return dispatch.apply(this, args);
  };
  return () => count;
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
  if (ahead) runners.push(await openOurs("tape", files, inputs, backend, backend.loaded));
  runners.push(await openOurs("plan", files, inputs, backend, byPlan));
  if (!needsOwnRuntime) runners.push(await openStock("TensorFlow.js", files, inputs, backend));
  if (reference) {
    const theirs = await readModel(reference, pixels);
    runners.push(await openStock("TensorFlow.js, of the Python converter", theirs, inputs, backend));
  }
  if (onnx && !pixels) {
    for (const provider of backend.name === "webgpu" ? ["cpu", "webgpu"] : ["cpu"]) {
      try {
        runners.push(await openOnnx(provider, onnx, inputs));
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
  const run = async () => {
    const fed = Object.entries(inputs).map(([key, { dtype, shape, data }]) => [key, new Tensor(dtype, data, shape)]);
    const results = await session.run(Object.fromEntries(fed));
    return { outputs: Object.values(results).map(({ data }) => data), commands: 0 };
  };
  await run();
  const firstMs = performance.now() - startMs;
  const name = `ONNX Runtime, ${provider}`;
  return { name, firstMs, run, bytes: () => Number.NaN, select: async () => {}, close: () => session.release() };
}

async function openOurs(name, files, inputs, backend, loaded) {
  await tf.setBackend(backend.name);
  const startMs = performance.now();
  const session = await openLocalSession(name, files, loaded);
  await session.run(inputs);
  return {
    name,
    firstMs: performance.now() - startMs,
    bytes: () => loaded.memory().deviceBytes,
    select: () => tf.setBackend(backend.name),
    async run() {
      const before = backend.countCommands();
      const running = session.run(inputs);
      const commands = backend.countCommands() - before;
      const outputs = await running;
      return { outputs: Object.values(outputs).map(({ data }) => data), commands };
    },
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
  const runner = {
    name,
    bytes: () => tf.memory().numBytesInGPUAllocated ?? tf.memory().numBytes,
    select: () => tf.setBackend(backend.stock),
    async run() {
      const before = backend.countCommands();
      const fed = Object.fromEntries(
        Object.entries(inputs).map(([key, { dtype, shape, data }]) => [
          inputNames[key] ?? inputNames[Object.keys(signature.inputs)[0]],
          tf.tensor(data, [...shape], dtype === "float32" ? "float32" : "int32"),
        ]),
      );
      const names = Object.values(outputNames);
      const executed = isDynamic ? model.executeAsync(fed, names) : model.execute(fed, names);
      backend.submit();
      const commands = backend.countCommands() - before;
      const outputs = [await executed].flat();
      const values = await Promise.all(outputs.map((output) => output.data()));
      tf.dispose([outputs, ...Object.values(fed)]);
      return { outputs: values, commands };
    },
    close: async () => model.dispose(),
  };
  await runner.run();
  return { ...runner, firstMs: performance.now() - startMs };
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
