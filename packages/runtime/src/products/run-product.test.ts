import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import {
  findBackend,
  getKernel,
  type KernelBackend,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDawn } from "../../testing/open-dawn.ts";
import { toFloat16 } from "../../testing/to-float16.ts";
import { CorrectedWebgpuBackend } from "../backends/corrected-webgpu-backend.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import { hoistDirectives } from "../backends/hoist-directives.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWebgpuBackend } from "../backends/webgpu.ts";
import { currentDevice } from "../plan/device.ts";
import { byteReader } from "../weights/byte-reader.ts";
import { storedWeight } from "../weights/stored-weight.ts";
import { WebgpuWeights } from "../weights/webgpu-weights.ts";
import { describeProduct, type KernelCall } from "./describe-product.ts";
import { type Product, type ProductOptions, runProduct } from "./run-product.ts";
import { tiles } from "./tile.ts";

/** A call of a kernel, with its inputs' shapes. */
interface Case {
  readonly kernel: keyof typeof describeProduct;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly attrs: object;
}

const matrices = (a: readonly number[], b: readonly number[], transposed = ""): Case => ({
  kernel: "BatchMatMul",
  shapes: { a, b },
  attrs: { transposeA: transposed.includes("a"), transposeB: transposed.includes("b") },
});
const convolution = (x: readonly number[], filter: readonly number[], attrs: object = {}): Case => ({
  kernel: "Conv2D",
  shapes: { x, filter },
  attrs: { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1], ...attrs },
});
const fused = (activation: string, others: object = {}): Case => ({
  kernel: "FusedConv2D",
  shapes: { x: [1, 5, 6, 4], filter: [3, 3, 4, 8], bias: [8], ...others },
  attrs: { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1], activation, leakyreluAlpha: 0.3 },
});

const cases: readonly Case[] = [
  matrices([1, 1], [1, 1]),
  matrices([1, 333], [333, 77]),
  matrices([1, 64], [64, 100]),
  matrices([5, 3], [3, 4]),
  matrices([33, 65], [65, 31]),
  matrices([64, 64], [64, 64]),
  matrices([130, 20], [20, 36]),
  matrices([20, 130], [20, 36], "a"),
  matrices([33, 20], [37, 20], "b"),
  matrices([12, 33], [40, 12], "ab"),
  matrices([2, 3, 9, 8], [2, 3, 8, 12]),
  matrices([3, 9, 7], [1, 7, 5]),
  matrices([1, 9, 8], [3, 8, 12]),
  matrices([9, 8], [2, 2, 8, 3]),
  convolution([1, 7, 9, 3], [3, 3, 3, 8], { strides: [2, 2] }),
  convolution([2, 8, 6, 4], [3, 3, 4, 6], { pad: "valid", dilations: [2, 2] }),
  convolution([2, 6, 5, 8], [1, 1, 8, 16]),
  convolution([2, 9, 7, 5], [1, 1, 5, 7], { strides: [2, 1] }),
  convolution([1, 6, 5, 3], [5, 2, 3, 4], {
    pad: [
      [0, 0],
      [1, 2],
      [0, 3],
      [0, 0],
    ],
  }),
  convolution([1, 12, 11, 16], [3, 3, 16, 20]),
  ...["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"].map((activation) => fused(activation)),
  fused("prelu", { preluActivationWeights: [1, 1, 8] }),
  fused("relu", { filter: [3, 3, 4, 7], bias: [7] }),
  fused("prelu", { filter: [3, 3, 4, 7], bias: [7], preluActivationWeights: [7] }),
  {
    kernel: "_FusedMatMul",
    shapes: { a: [1, 6, 10], b: [1, 10, 9], bias: [9] },
    attrs: { transposeA: false, transposeB: false, activation: "relu" },
  },
];

/** Numbers that look random, from −1 to 1. */
function numbers(shape: readonly number[], seed: number): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from(
    { length: count },
    (_, at) => ((Math.imul(at + 13 * seed, 2654435761) >>> 8) % 65_537) / 32_768 - 1,
  );
}

function write(backend: KernelBackend, values: Float32Array, shape: readonly number[]): TensorInfo {
  return { dataId: backend.write(values, [...shape], "float32"), shape: [...shape], dtype: "float32" };
}

/** What TensorFlow.js's kernel for cpu computes. */
async function computeOnCpu({ kernel, attrs }: Case, inputs: readonly Input[]) {
  const backend = findBackend("cpu");
  const tensors = Object.fromEntries(inputs.map(({ name, shape, exact }) => [name, write(backend, exact, shape)]));
  const call = { inputs: tensors, backend, attrs: attrs as NamedAttrMap }; // the kernel's
  const { dataId, shape } = getKernel(kernel, "cpu").kernelFunc(call) as TensorInfo; // these have one output
  return { shape, values: (await backend.read(dataId)) as Float32Array };
}

interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** The values as they are multiplied. */
  readonly exact: Float32Array;
}

function largestError(got: Float32Array, want: Float32Array): number {
  expect(got.length).toBe(want.length);
  return got.reduce((largest, value, at) => {
    const expected = want[at] as number; // of equal length
    return Math.max(largest, Math.abs(value - expected) / (1 + Math.abs(expected)) || 0);
  }, 0);
}

/** What a product on the device differs by, at most, from what TensorFlow.js computes on cpu. */
async function errorOf(each: Case, { elements, tile, isHalfB = false }: ProductOptions): Promise<number> {
  const backend = currentDevice().backend as WebGPUBackend;
  const inputs = Object.entries(each.shapes).map(([name, shape], index) => {
    const values = numbers(shape, index + 1);
    const isRounded = isHalfB ? secondOperands.has(name) : elements === "rounded" && operands.has(name);
    return { name, shape, values, exact: isRounded ? values.map(toFloat16) : values };
  });
  const want = await computeOnCpu(each, inputs);
  const tensors = await Promise.all(
    inputs.map(async ({ name, shape, values }) => {
      const isHalf = isHalfB && secondOperands.has(name);
      return [name, isHalf ? await storeHalves(values, shape) : write(backend, values, shape)] as const;
    }),
  );
  const product = describeProduct[each.kernel]({
    inputs: Object.fromEntries(tensors) as NamedTensorInfoMap,
    attrs: each.attrs,
  });
  if (product === undefined) throw new Error("it is no product");
  const got = runProduct(backend, product, { elements, isHalfB, ...(tile && { tile }) });
  expect(got.shape).toEqual(want.shape);
  const error = largestError((await backend.read(got.dataId)) as Float32Array, want.values);
  for (const { dataId } of [...tensors.map(([, tensor]) => tensor), got]) backend.disposeData(dataId);
  return error;
}

const operands: ReadonlySet<string> = new Set(["a", "b", "x", "filter"]);
const secondOperands: ReadonlySet<string> = new Set(["b", "filter"]);

/** As weights are loaded that are to be float16 on the device. */
function storeHalves(values: Float32Array, shape: readonly number[]): Promise<TensorInfo> {
  const weight = storedWeight({ name: "w", dtype: "float32", shape });
  const bytes = byteReader([values.slice().buffer][Symbol.iterator]() as unknown as AsyncIterator<ArrayBuffer>);
  return new WebgpuWeights(currentDevice(), new Set(["w"])).store(weight, bytes);
}

// Sums of float32 in another order.
const tolerance = 2e-6;

const gpu = await openDawn();

describe.skipIf(gpu === undefined)("runProduct", () => {
  let loaded: readonly LoadedBackend[];
  beforeAll(async () => {
    loaded = [await openCpuBackend(), await openWebgpuBackend({ gpu })];
  });
  afterAll(async () => {
    for (const each of loaded) await each.close();
  });

  const named = cases.map(
    (each) => [`${each.kernel} ${JSON.stringify({ ...each.shapes, ...each.attrs })}`, each] as const,
  );
  test.each(named)("computes %s", async (_, each) => {
    expect(await errorOf(each, { elements: "float32", tile: tiles.square })).toBeLessThan(tolerance);
  });

  test.each(Object.entries(tiles))("computes products and convolutions by tiles: %s", async (_, tile) => {
    for (const each of [
      matrices([2, 67, 133], [2, 133, 66]),
      matrices([67, 132], [132, 68]),
      convolution([1, 9, 8, 8], [3, 3, 8, 36]),
    ]) {
      expect(await errorOf(each, { elements: "float32", tile })).toBeLessThan(tolerance);
    }
  });

  test("rounds both operands to float16, and sums in float32", async () => {
    for (const each of [matrices([33, 65], [65, 31]), convolution([1, 7, 6, 4], [3, 3, 4, 8])]) {
      expect(await errorOf(each, { elements: "rounded" })).toBeLessThan(tolerance);
    }
  });

  test.each([
    matrices([7, 40], [40, 27]),
    matrices([7, 40], [40, 28]),
    matrices([7, 40], [27, 40], "b"),
    convolution([1, 5, 6, 12], [3, 3, 12, 11]),
    convolution([1, 5, 6, 12], [3, 3, 12, 12]),
  ])("takes a second operand that is float16 in memory: $shapes", async (each) => {
    expect(await errorOf(each, { elements: "float32", isHalfB: true })).toBeLessThan(tolerance);
  });

  test("adds a residual before the activation", async () => {
    const { backend } = currentDevice();
    const [a, b, residual] = [
      [3, 5],
      [5, 8],
      [3, 8],
    ].map((shape, seed) => write(backend, numbers(shape, seed), shape));
    const product = describeProduct._FusedMatMul({
      inputs: { a, b } as NamedTensorInfoMap,
      attrs: { transposeA: false, transposeB: false, activation: "relu" },
    });
    const got = runProduct(backend as WebGPUBackend, { ...(product as Product), residual }, { elements: "float32" });
    const [x, y, added] = [numbers([3, 5], 0), numbers([5, 8], 1), numbers([3, 8], 2)];
    const want = Float32Array.from({ length: 24 }, (_, at) => {
      const terms = Array.from(
        { length: 5 },
        (_, k) => (x[Math.floor(at / 8) * 5 + k] as number) * (y[k * 8 + (at % 8)] as number),
      );
      return Math.max(
        0,
        terms.reduce((sum, term) => sum + term, added[at] as number),
      );
    });
    expect(largestError((await backend.read(got.dataId)) as Float32Array, want)).toBeLessThan(tolerance);
  });
});

test.each([
  [
    "batches of which neither has all",
    { inputs: { a: info([2, 1, 4, 5]), b: info([1, 3, 5, 6]) }, attrs: {} },
    "BatchMatMul",
  ],
  ["nothing to multiply", { inputs: { a: info([4, 0]), b: info([0, 6]) }, attrs: {} }, "BatchMatMul"],
  ["integers", { inputs: { a: info([4, 5], "int32"), b: info([5, 6], "int32") }, attrs: {} }, "BatchMatMul"],
  [
    "channels first",
    {
      inputs: { x: info([1, 3, 8, 8]), filter: info([3, 3, 3, 4]) },
      attrs: { strides: 1, pad: "same", dataFormat: "NCHW" },
    },
    "Conv2D",
  ],
  [
    "slopes per pixel",
    {
      inputs: { x: info([1, 8, 8, 3]), filter: info([1, 1, 3, 4]), preluActivationWeights: info([8, 8, 4]) },
      attrs: { strides: 1, pad: "same", activation: "prelu" },
    },
    "FusedConv2D",
  ],
  [
    "an activation that it hasn't",
    { inputs: { a: info([4, 5]), b: info([5, 6]) }, attrs: { activation: "selu" } },
    "_FusedMatMul",
  ],
] as const)("describeProduct leaves %s to TensorFlow.js", (_, call, kernel) => {
  expect(describeProduct[kernel](call as unknown as KernelCall)).toBeUndefined();
});

function info(shape: readonly number[], dtype: TensorInfo["dtype"] = "float32"): TensorInfo {
  return { dataId: {}, shape: [...shape], dtype };
}

/** A device that takes float16 in shaders and computes nothing: what it reports of a shader is what other devices would. */
const nullGpu = await openDawn(["backend=null"]);

describe.skipIf(nullGpu === undefined)("the shaders for float16", () => {
  test("are taken by a device that has it", async () => {
    const adapter = await nullGpu?.requestAdapter();
    const device = (await adapter?.requestDevice({ requiredFeatures: ["shader-f16"] })) as GPUDevice; // it has all features
    hoistDirectives(device);
    const backend = new CorrectedWebgpuBackend(device);
    const faultOf = async (each: Case, options: ProductOptions) => {
      device.pushErrorScope("validation");
      const inputs = Object.entries(each.shapes).map(([name, shape]) => [
        name,
        write(backend, numbers(shape, 1), shape),
      ]);
      const product = describeProduct[each.kernel]({ inputs: Object.fromEntries(inputs), attrs: each.attrs });
      runProduct(backend, product as Product, options);
      return (await device.popErrorScope())?.message;
    };
    const chosen = [
      ...cases.filter(({ kernel }) => kernel.includes("Fused")),
      ...cases.slice(3, 5),
      ...cases.slice(-12),
    ];
    for (const each of chosen) {
      for (const tile of Object.values(tiles)) {
        for (const isHalfB of [false, true]) {
          expect(await faultOf(each, { elements: "float16", tile, isHalfB })).toBeUndefined();
        }
      }
    }
  });
});
