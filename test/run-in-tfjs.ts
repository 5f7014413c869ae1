import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dtypes, type Manifest, parseManifest, type Tensor, type Tensors } from "@nearside/core";
import * as tf from "@tensorflow/tfjs";

/** Loads the model in `folder` as any TensorFlow.js program would, and runs it once on the CPU. */
export function runInTfjs(folder: string, inputs: Tensors): Promise<Tensors> {
  return run(folder, inputs, async (model, fed, names) => model.execute(fed, names));
}

/** The same for models with loops, branches or tables. */
export function runAsyncInTfjs(folder: string, inputs: Tensors): Promise<Tensors> {
  return run(folder, inputs, (model, fed, names) => model.executeAsync(fed, names));
}

async function run(
  folder: string,
  inputs: Tensors,
  execute: (model: tf.GraphModel, fed: tf.NamedTensorMap, names: string[]) => Promise<tf.Tensor | tf.Tensor[]>,
): Promise<Tensors> {
  await tf.setBackend("cpu");
  const text = await readFile(join(folder, "model.json"), "utf8");
  const manifest = parseManifest(text);
  const model = await tf.loadGraphModel({ load: () => loadArtifacts(folder, text) });
  const fed = Object.entries(inputs).map(([key, tensor]) => [manifest.inputNames[key] ?? key, toTfjs(tensor)] as const);
  const keys = Object.keys(manifest.outputNames);
  const results = await execute(
    model,
    Object.fromEntries(fed),
    keys.map((key) => manifest.outputNames[key] ?? key),
  );
  const list = Array.isArray(results) ? results : [results];
  return Object.fromEntries(keys.map((key, index) => [key, fromTfjs(manifest, key, list[index])]));
}

async function loadArtifacts(folder: string, text: string): Promise<tf.io.ModelArtifacts> {
  const { modelTopology, signature, weightsManifest, ...rest } = JSON.parse(text);
  const [group] = weightsManifest;
  const shards: Buffer[] = await Promise.all(group.paths.map((path: string) => readFile(join(folder, path))));
  const weightData = new Uint8Array(Buffer.concat(shards)).buffer;
  return { ...rest, modelTopology, signature, weightSpecs: group.weights, weightData };
}

function toTfjs({ dtype, shape, data }: Tensor): tf.Tensor {
  if (dtype === "string") return tf.tensor([...(data as readonly string[])], [...shape], dtype);
  if (dtype === "bool") return tf.tensor(data as Uint8Array, [...shape], dtype); // by the dtype
  if (dtype.startsWith("float")) return tf.tensor(Float32Array.from(data as Float64Array), [...shape], "float32");
  if (!/^u?int/.test(dtype)) throw new Error(`no test feeds ${dtype}`);
  return tf.tensor(Int32Array.from(data as BigInt64Array, Number), [...shape], "int32"); // bigint or not
}

function fromTfjs({ signature }: Manifest, key: string, tensor: tf.Tensor | undefined): Tensor {
  const dtype = signature.outputs[key]?.dtype;
  if (dtype === undefined || tensor === undefined) throw new Error(`output "${key}": the model returned none`);
  const data = tensor.dataSync();
  if (dtype === "int64" || dtype === "uint64") {
    const array = dtypes[dtype].array as typeof BigInt64Array; // stands for both
    return { dtype, shape: tensor.shape, data: array.from(data, BigInt) } as Tensor; // the array of that dtype
  }
  if (dtype === "string") return { dtype, shape: tensor.shape, data: data as unknown as readonly string[] }; // its own
  const array = dtypes[dtype].array as typeof Float32Array; // stands for every numeric array
  return { dtype, shape: tensor.shape, data: array.from(data) } as Tensor; // the array of that dtype
}
