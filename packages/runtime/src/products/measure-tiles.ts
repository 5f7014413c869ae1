import { InferenceError } from "@nearside/core";
import { getKernel, type NamedAttrMap, type NamedTensorInfoMap, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { RecordingWebgpuBackend } from "../backends/recording-webgpu-backend.ts";
import { describeProduct } from "./describe-product.ts";
import { runProduct } from "./run-product.ts";
import { type TileName, tiles } from "./tile.ts";
import { classOf, type TileChoice, type TileChoices } from "./tile-choice.ts";

/** A call of a kernel that stands for a class. */
export interface Sample {
  readonly kernel: keyof typeof describeProduct;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly attrs: object;
}

const matrices = (rows: number, inner: number, columns: number): Sample => ({
  kernel: "BatchMatMul",
  shapes: { a: [1, rows, inner], b: [1, inner, columns] },
  attrs: { transposeA: false, transposeB: false },
});
const convolution = (side: number, channels: number, filters: number): Sample => ({
  kernel: "Conv2D",
  shapes: { x: [1, side, side, channels], filter: [3, 3, channels, filters] },
  attrs: { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1] },
});

/** Sizes as in MobileNetV2 and ResNet50 at 224 pixels, what takes least first. */
const samples: readonly Sample[] = [
  matrices(1, 1280, 1000),
  matrices(196, 384, 96),
  convolution(14, 96, 96),
  matrices(3136, 64, 96),
  convolution(56, 32, 64),
];

const rounds = 5;
/** How long a round of a kernel's runs takes at least, so that what it takes to wait for a device doesn't count. */
const roundMs = 3;
const mostRuns = 64;

/**
 * Measures on the backend's device, for each class of product, our tiles beside TensorFlow.js's kernel, float32 both;
 * a tile that the device can't compile, or that computes anything else, is none to choose. Once `budgetMs` are over no
 * other class or round is begun.
 */
export async function measureTiles(backend: RecordingWebgpuBackend, budgetMs = 500): Promise<TileChoices> {
  const endMs = performance.now() + budgetMs;
  const choices: Record<string, TileChoice> = {};
  for (const sample of samples) {
    if (performance.now() > endMs) break;
    Object.assign(choices, await measureSample(backend, sample, endMs));
  }
  return choices;
}

/** The choice for the sample's class; none where no tile of ours computes the same as TensorFlow.js's kernel. */
export async function measureSample(
  backend: RecordingWebgpuBackend,
  sample: Sample,
  endMs: number,
): Promise<TileChoices> {
  const inputs = Object.fromEntries(
    Object.entries(sample.shapes).map(([name, shape], index) => [name, write(backend, shape, index)]),
  );
  try {
    const [name, choice] = await measureCall(backend, sample, inputs, endMs);
    return choice ? { [name]: choice } : {};
  } finally {
    for (const { dataId } of Object.values(inputs)) backend.disposeData(dataId);
  }
}

type Run = () => TensorInfo;

async function measureCall(
  backend: RecordingWebgpuBackend,
  { kernel, attrs }: Sample,
  inputs: NamedTensorInfoMap,
  endMs: number,
) {
  const product = describeProduct[kernel]({ inputs, attrs });
  if (product === undefined) throw new InferenceError("internal", `a sample of ${kernel} is no product`);
  const { kernelFunc } = getKernel(kernel, "webgpu");
  const stock: Run = () => kernelFunc({ inputs, backend, attrs: attrs as NamedAttrMap }) as TensorInfo; // one output
  const want = await resultOf(backend, stock);
  const ways: (readonly [TileName, Run])[] = [];
  for (const [name, tile] of Object.entries(tiles)) {
    const run: Run = () => runProduct(backend, product, { elements: "float32", tile });
    const isOfOtherRows = (name === "vector") !== (product.rows === 1);
    if (!isOfOtherRows && (await gives(want, backend, run))) ways.push([name as TileName, run]);
  }
  const once = await timeRuns(backend, stock, 1);
  const runs = Math.min(mostRuns, Math.ceil(roundMs / once));
  const times = new Map<Run, number[]>([[stock, []], ...ways.map(([, run]) => [run, []] as [Run, number[]])]);
  for (let round = 0; round < rounds && (round === 0 || performance.now() < endMs); round++) {
    for (const [run, all] of times) all.push(await timeRuns(backend, run, runs));
  }
  const stockMs = median(times.get(stock));
  const [best] = ways
    .map(([tile, run]): TileChoice => ({ tile, ratio: median(times.get(run)) / stockMs }))
    .sort((a, b) => a.ratio - b.ratio);
  return [classOf(product), best] as const;
}

/** Whether a run is right. What the device reports of it, as of a shader that it can't compile, is kept to this run. */
async function gives(want: Float32Array, backend: RecordingWebgpuBackend, run: Run): Promise<boolean> {
  const filters = ["validation", "internal"] as const;
  for (const filter of filters) backend.device.pushErrorScope(filter);
  const got = await resultOf(backend, run);
  const faults = await Promise.all(filters.map(() => backend.device.popErrorScope()));
  return faults.every((fault) => fault === null) && isClose(got, want);
}

async function resultOf(backend: RecordingWebgpuBackend, run: Run): Promise<Float32Array> {
  const { dataId } = run();
  try {
    return (await backend.read(dataId)) as Float32Array;
  } finally {
    backend.disposeData(dataId);
  }
}

/** The milliseconds until the device has done so many runs. */
async function timeRuns(backend: RecordingWebgpuBackend, run: Run, runs: number): Promise<number> {
  const startMs = performance.now();
  for (let count = 0; count < runs; count++) backend.disposeData(run().dataId);
  backend.submitCommands();
  await backend.device.queue.onSubmittedWorkDone();
  return performance.now() - startMs;
}

function isClose(got: Float32Array, want: Float32Array): boolean {
  return got.every((value, at) => Math.abs(value - (want[at] as number)) <= 1e-3); // as long; sums are of some 1,000 products below 1
}

function median(values: readonly number[] = []): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** A tensor of numbers from −0.5 to 0.5. */
function write(backend: RecordingWebgpuBackend, shape: readonly number[], seed: number): TensorInfo {
  const sizes = [...shape];
  const values = Float32Array.from(
    { length: util.sizeFromShape(sizes) },
    (_, at) => ((Math.imul(at + 13 * seed, 2654435761) >>> 8) % 1001) / 1000 - 0.5,
  );
  return { dataId: backend.write(values, sizes, "float32"), shape: sizes, dtype: "float32" };
}
