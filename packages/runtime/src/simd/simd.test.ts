import { backend as currentBackend, getKernel, type KernelBackend, type TensorInfo } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWasmBackend } from "../backends/wasm.ts";
import type { WasmBackend } from "../backends/wasm-memory.ts";
import { concatenate } from "./concatenate.ts";
import { convolve } from "./convolve.ts";
import { convolveTransposed } from "./convolve-transposed.ts";
import { convolveDepthwise } from "./depthwise.ts";
import { multiplyTensors } from "./products.ts";

interface Plain {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface Call {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Plain>> | readonly Plain[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

const own = {
  FusedConv2D: convolve,
  FusedDepthwiseConv2D: convolveDepthwise,
  BatchMatMul: multiplyTensors,
  _FusedMatMul: multiplyTensors,
  Conv2DBackpropInput: convolveTransposed,
  Concat: concatenate,
} as const;

const opened: LoadedBackend[] = [];
let [cpu, wasm]: [KernelBackend?, KernelBackend?] = [];
beforeAll(async () => {
  opened.push(await openCpuBackend());
  cpu = currentBackend();
  opened.push(await openWasmBackend());
  wasm = currentBackend();
});
afterAll(async () => {
  for (const backend of opened) await backend.close();
});

describe("convolutions", () => {
  const sizes = [
    { name: "pointwise", x: [2, 5, 7, 3], filter: [1, 1, 3, 8] },
    { name: "pointwise to 5 channels", x: [1, 1, 1, 9], filter: [1, 1, 9, 5] },
    { name: "pointwise to 13 channels, of fewer rows than a tile", x: [1, 2, 2, 6], filter: [1, 1, 6, 13] },
    { name: "3 by 3 over 3 channels", x: [2, 9, 8, 3], filter: [3, 3, 3, 11] },
    { name: "3 by 3 over 6 channels", x: [1, 7, 7, 6], filter: [3, 3, 6, 4] },
    { name: "5 by 2", x: [1, 11, 6, 2], filter: [5, 2, 2, 16] },
    { name: "5 by 5", x: [1, 12, 13, 2], filter: [5, 5, 2, 6] },
    { name: "7 by 7", x: [1, 15, 17, 2], filter: [7, 7, 2, 9] },
    { name: "a filter larger than the image", x: [1, 2, 3, 4], filter: [5, 5, 4, 8] },
    { name: "more outputs than are gathered at a time", x: [1, 40, 41, 17], filter: [3, 3, 17, 9] },
    { name: "an empty batch", x: [0, 4, 4, 3], filter: [3, 3, 3, 8] },
  ];
  const ways = [
    { pad: "valid", strides: [1, 1], dilations: [1, 1], activation: "linear" },
    { pad: "same", strides: [1, 1], dilations: [1, 1], activation: "relu" },
    { pad: "same", strides: [2, 2], dilations: [1, 1], activation: "relu6" },
    { pad: "same", strides: [3, 1], dilations: [1, 1], activation: "linear" },
    { pad: "same", strides: [1, 1], dilations: [2, 3], activation: "relu6" },
    { pad: paddings(0, 2, 1, 0), strides: [2, 2], dilations: [1, 1], activation: "linear" },
    { pad: paddings(3, 0, 0, 4), strides: [1, 1], dilations: [1, 2], activation: "relu" },
  ];
  const cases = sizes.flatMap((size) => ways.map((attrs) => ({ ...size, attrs, way: JSON.stringify(attrs) })));

  test.each(cases.filter(isPossible))("compute what the cpu does: $name, $way", ({ x, filter, attrs }) => {
    for (const bias of [undefined, numbers([filter[3] ?? 0], 3)]) {
      const inputs = { x: numbers(x, 1), filter: numbers(filter, 2), ...(bias && { bias }) };
      expectAgreement({ kernel: "FusedConv2D", inputs, attrs });
    }
  });

  test.each(cases.filter(isPossible))("per channel compute what the cpu does: $name, $way", ({ x, filter, attrs }) => {
    const channels = filter[3] ?? 0; // as many as the other convolutions compute: 4, 5, 8, 9, 11, 13, 16
    const shape = [...x.slice(0, 3), channels];
    for (const bias of [undefined, numbers([channels], 3)]) {
      const inputs = {
        x: numbers(shape, 1),
        filter: numbers([...filter.slice(0, 2), channels, 1], 2),
        ...(bias && { bias }),
      };
      expectAgreement({ kernel: "FusedDepthwiseConv2D", inputs, attrs });
    }
  });

  test("are left to TensorFlow.js where our kernels lack something", () => {
    const attrs = { strides: [1, 1], dilations: [1, 1], pad: "same", activation: "linear" };
    const x = numbers([1, 4, 4, 4], 1);
    const few = { kernel: "FusedConv2D", inputs: { x, filter: numbers([1, 1, 4, 3], 2) }, attrs };
    const elu = {
      kernel: "FusedConv2D",
      inputs: { x, filter: numbers([1, 1, 4, 8], 2) },
      attrs: { ...attrs, activation: "elu" },
    };
    const two = { kernel: "FusedDepthwiseConv2D", inputs: { x, filter: numbers([3, 3, 4, 2], 2) }, attrs };
    expect([few, elu, two].map((call) => runOwn(call))).toEqual([undefined, undefined, undefined]);
  });
});

describe("products of matrices", () => {
  const cases = [
    { a: [1, 7, 5], b: [1, 5, 8] },
    { a: [1, 1, 300], b: [1, 300, 21] },
    { a: [1, 6, 16], b: [1, 16, 4] },
    { a: [1, 13, 3], b: [1, 3, 7] },
    { a: [5, 3, 9], b: [5, 9, 12] },
    { a: [1, 0, 9], b: [1, 9, 12] },
    { a: [1, 3000, 7], b: [1, 7, 9] },
  ];

  test.each(cases)("are what the cpu computes: $a · $b", ({ a, b }) => {
    const transposed = [...b.slice(0, 1), ...b.slice(1).reverse()];
    const plain = { a: numbers(a, 1), b: numbers(b, 2) };
    expectAgreement({ kernel: "BatchMatMul", inputs: plain, attrs: { transposeA: false, transposeB: false } });
    const turned = { a: plain.a, b: numbers(transposed, 2) };
    expectAgreement({ kernel: "BatchMatMul", inputs: turned, attrs: { transposeA: false, transposeB: true } });
    const bias = numbers([b[2] ?? 0], 3);
    const attrs = { transposeA: false, transposeB: false, activation: "relu" };
    expectAgreement({ kernel: "_FusedMatMul", inputs: { ...plain, bias }, attrs });
  });

  test("of one matrix with a batch of others are left to TensorFlow.js, unless it is the right one", () => {
    const attrs = { transposeA: false, transposeB: false };
    const one = numbers([1, 6, 6], 1);
    const many = numbers([3, 6, 6], 2);
    expect(runOwn({ kernel: "BatchMatMul", inputs: { a: one, b: many }, attrs })).toBeUndefined();
    expectAgreement({ kernel: "BatchMatMul", inputs: { a: many, b: one }, attrs });
    const [down, across] = [numbers([1, 6, 2, 5], 1), numbers([6, 1, 5, 4], 2)];
    expect(runOwn({ kernel: "BatchMatMul", inputs: { a: down, b: across }, attrs })).toBeUndefined();
  });

  test("of nothing are zeros", () => {
    const inputs = { a: numbers([1, 3, 0], 1), b: numbers([1, 0, 5], 2) };
    const product = runOwn({ kernel: "BatchMatMul", inputs, attrs: { transposeA: false, transposeB: false } });
    expect(product).toEqual({ shape: [1, 3, 5], values: new Float32Array(15) });
  });
});

describe("transposed convolutions", () => {
  const cases = [
    { dy: [1, 3, 4, 5], filter: [2, 2, 7, 5], inputShape: [1, 6, 8, 7], strides: [2, 2], pad: "same" },
    { dy: [2, 3, 3, 4], filter: [3, 3, 2, 4], inputShape: [2, 6, 6, 2], strides: [2, 2], pad: "same" },
    { dy: [1, 3, 4, 3], filter: [3, 3, 1, 3], inputShape: [1, 7, 9, 1], strides: [2, 2], pad: "valid" },
    { dy: [1, 5, 5, 2], filter: [4, 3, 6, 2], inputShape: [1, 5, 5, 6], strides: [1, 1], pad: "same" },
    { dy: [1, 70, 60, 3], filter: [3, 3, 9, 3], inputShape: [1, 70, 60, 9], strides: [1, 1], pad: "same" },
    { dy: [1, 4, 2, 3], filter: [2, 2, 4, 3], inputShape: [1, 8, 2, 4], strides: [2, 1], pad: "same" },
    { dy: [0, 3, 3, 4], filter: [3, 3, 2, 4], inputShape: [0, 6, 6, 2], strides: [2, 2], pad: "same" },
  ];

  test.each(cases)("compute what the cpu does: $dy to $inputShape by $filter", ({ dy, filter, ...attrs }) => {
    const inputs = { dy: numbers(dy, 1), filter: numbers(filter, 2) };
    expectAgreement({ kernel: "Conv2DBackpropInput", inputs, attrs });
  });
});

test.each([
  {
    shapes: [
      [2, 3, 4],
      [2, 3, 1],
      [2, 3, 7],
    ],
    axis: 2,
  },
  {
    shapes: [
      [2, 1, 5],
      [2, 3, 5],
    ],
    axis: -2,
  },
  {
    shapes: [
      [1, 9],
      [2, 9],
      [0, 9],
    ],
    axis: 0,
  },
])("$shapes are concatenated along axis $axis as on the cpu", ({ shapes, axis }) => {
  const inputs = shapes.map((shape, index) => numbers(shape, index + 1));
  expectAgreement({ kernel: "Concat", inputs, attrs: { axis } });
});

test("not a number stays so through a clamp", () => {
  const inputs = { x: { shape: [1, 1, 1, 1], values: Float32Array.of(Number.NaN) }, filter: numbers([1, 1, 1, 4], 2) };
  const attrs = { strides: [1, 1], dilations: [1, 1], pad: "valid", activation: "relu6" };
  expect(Array.from(runOwn({ kernel: "FusedConv2D", inputs, attrs })?.values ?? [])).toEqual(Array(4).fill(Number.NaN));
});

test("what a filter was packed to is freed with the filter", () => {
  const backend = wasm as unknown as WasmBackend;
  const sizes: number[] = [];
  for (let count = 0; count < 40; count++) {
    const inputs = { x: numbers([1, 2, 2, 256], 1), filter: numbers([1, 1, 256, 1024], 2) }; // 1 MiB each, and packed
    runOwn({ kernel: "FusedConv2D", inputs, attrs: { strides: 1, dilations: 1, pad: "valid", activation: "linear" } });
    sizes.push(backend.wasm.asm.memory.buffer.byteLength);
  }
  expect(sizes.at(-1)).toBe(sizes[3]);
});

function paddings(top: number, bottom: number, left: number, right: number) {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

/** False where no output would be left. */
function isPossible({
  x,
  filter,
  attrs,
}: {
  x: readonly number[];
  filter: readonly number[];
  attrs: { pad: unknown };
}) {
  return attrs.pad === "same" || [0, 1].every((axis) => (filter[axis] ?? 0) <= (x[axis + 1] ?? 0));
}

/** Numbers from −2 to 2. */
function numbers(shape: readonly number[], seed: number): Plain {
  let state = seed;
  const values = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes
    return state / 2 ** 30 - 2;
  });
  return { shape, values };
}

/** Runs our kernel; undefined where it leaves the call to TensorFlow.js. */
function runOwn(call: Call): Plain | undefined {
  const kernel = own[call.kernel as keyof typeof own];
  return run(call, wasm as KernelBackend, (args) => kernel(args));
}

function run(
  { inputs, attrs }: Call,
  backend: KernelBackend,
  kernel: (args: { inputs: Record<string, TensorInfo>; attrs: never; backend: object }) => TensorInfo | undefined,
): Plain | undefined {
  const infos = Object.entries(inputs).map(([name, { shape, values }]: [string, Plain]) => {
    const info: TensorInfo = {
      dataId: backend.write(values, [...shape], "float32"),
      shape: [...shape],
      dtype: "float32",
    };
    return [name, info] as const;
  });
  const output = kernel({
    inputs: (Array.isArray(inputs) ? infos.map(([, info]) => info) : Object.fromEntries(infos)) as never,
    attrs: { dataFormat: "NHWC", ...attrs } as never,
    backend,
  });
  const plain = output && { shape: output.shape, values: (backend.readSync(output.dataId) as Float32Array).slice() };
  for (const { dataId } of [...infos.map(([, info]) => info), ...(output ? [output] : [])]) backend.disposeData(dataId);
  return plain;
}

/** Expects of our kernel what the cpu backend's computes. */
function expectAgreement(call: Call): void {
  const reference = getKernel(call.kernel, "cpu")?.kernelFunc as Parameters<typeof run>[2];
  const want = run(call, cpu as KernelBackend, reference) as Plain;
  const got = runOwn(call) as Plain;
  expect(got.shape).toEqual(want.shape);
  const errors = Array.from(want.values, (value, index) => Math.abs((got.values[index] ?? Number.NaN) - value));
  const bound = 1e-4 + 1e-5 * Math.max(0, ...want.values.map(Math.abs));
  expect(errors.filter((error) => !(error <= bound))).toEqual([]);
}
