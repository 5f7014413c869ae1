import { parseArgs } from "node:util";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { getKernel, backend as tfjsBackend } from "@tensorflow/tfjs-core";
import { describeProduct } from "../../packages/runtime/dist/products/describe-product.js";
import { runProduct } from "../../packages/runtime/dist/products/run-product.js";
import { tiles } from "../../packages/runtime/dist/products/tile.js";
import { createGpu } from "./create-gpu.mjs";
import { median } from "./measure-process.mjs";

const matrices = (a, b, transposeB = false) => ["BatchMatMul", { a, b }, { transposeA: false, transposeB }];
const convolution = (x, filter, step = 1) => [
  "Conv2D",
  { x, filter },
  { strides: [step, step], pad: "same", dataFormat: "NHWC", dilations: [1, 1] },
];

// Those of MobileNetV2 and ResNet50 at 224 pixels, and of BERT base over 128 tokens.
const calls = [
  convolution([1, 224, 224, 3], [3, 3, 3, 32], 2),
  convolution([1, 56, 56, 24], [1, 1, 24, 144]),
  convolution([1, 14, 14, 384], [1, 1, 384, 64]),
  convolution([1, 7, 7, 960], [1, 1, 960, 160]),
  convolution([1, 7, 7, 320], [1, 1, 320, 1280]),
  convolution([1, 56, 56, 64], [3, 3, 64, 64]),
  convolution([1, 7, 7, 512], [3, 3, 512, 512]),
  matrices([1, 1, 1280], [1, 1280, 1000]),
  matrices([1, 128, 768], [1, 768, 768]),
  matrices([1, 128, 768], [1, 768, 3072]),
  matrices([12, 128, 64], [12, 128, 64], true),
];

/**
 * Milliseconds of products on WebGPU: by TensorFlow.js's kernels, and by ours with each tile, in float32 and with a
 * float16's operands. Medians of rounds in turn, each of some runs one after another until the last one's result is read.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: "string", default: "5" }, runs: { type: "string", default: "10" } },
  });
  const [rounds, runs] = [Number(values.rounds), Number(values.runs)];
  if (!(rounds >= 1 && runs >= 1)) throw new Error("npm run bench -- products [--rounds N] [--runs N]");
  await openWebgpuBackend({ gpu: await createGpu() });
  const half = tfjsBackend().device.features.has("shader-f16") ? "float16" : "rounded";
  for (const call of calls) console.log(await benchCall(call, { half, rounds, runs }));
  process.exit(0); // Dawn's threads would keep it alive
}

async function benchCall([kernelName, shapes, attrs], { half, rounds, runs }) {
  const backend = tfjsBackend();
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, write(shape)]));
  const product = describeProduct[kernelName]({ inputs, attrs });
  const { kernelFunc } = getKernel(kernelName, "webgpu"); // TensorFlow.js's, in float32
  const ways = [["TensorFlow.js", () => kernelFunc({ inputs, backend, attrs })]];
  for (const elements of ["float32", half]) {
    for (const [name, tile] of Object.entries(tiles)) {
      ways.push([`${name} ${elements}`, () => runProduct(backend, product, { elements, tile })]);
    }
  }
  const times = new Map(ways.map(([name]) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of ways) {
      const startMs = performance.now();
      for (let count = 1; count < runs; count++) backend.disposeData(run().dataId);
      const last = run();
      await backend.read(last.dataId); // what was submitted before is done then
      backend.disposeData(last.dataId);
      if (round > 0) times.get(name).push((performance.now() - startMs) / runs); // the first compiles
    }
  }
  for (const { dataId } of Object.values(inputs)) backend.disposeData(dataId);
  const stock = median(times.get("TensorFlow.js"));
  const parts = [...times].map(
    ([name, all]) => `${name} ${median(all).toFixed(2)} (${(median(all) / stock).toFixed(2)}×)`,
  );
  return `${kernelName} ${Object.values(shapes).join(" · ")}: ${parts.join(", ")}`;
}

function write(shape) {
  const count = shape.reduce((product, size) => product * size, 1);
  const dataId = tfjsBackend().write(new Float32Array(count).fill(0.5), shape, "float32");
  return { dataId, shape, dtype: "float32" };
}
