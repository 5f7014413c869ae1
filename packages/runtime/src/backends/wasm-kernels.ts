import "@tensorflow/tfjs-backend-wasm"; // it registers the kernels that are corrected here
import {
  backend_util,
  getKernel,
  getKernelsForBackend,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { concatenate } from "../simd/concatenate.ts";
import { convolve } from "../simd/convolve.ts";
import { convolveTransposed } from "../simd/convolve-transposed.ts";
import { convolveDepthwise } from "../simd/depthwise.ts";
import { multiplyTensors } from "../simd/products.ts";
import { checkIndices, type ReadElements } from "./check-indices.ts";
import { missingKernel } from "./missing-kernel.ts";
import { checkDtypes, complexWasmKernels } from "./wasm-complex.ts";
import { gather } from "./wasm-gather.ts";
import { bytesOf, numbersOf, sizeOf, type WasmBackend } from "./wasm-memory.ts";
import { withWholeBias } from "./wasm-whole-bias.ts";

interface Call {
  readonly kernel: string;
  readonly x: TensorInfo;
  readonly args: Parameters<KernelFunc>[0];
  readonly backend: WasmBackend;
  /** TensorFlow.js's own kernel. */
  readonly original: KernelFunc;
}

type Correction = (call: Call) => ReturnType<KernelFunc>;

/** XNNPACK takes SAME wrongly where a stride leaves pixels out; the same paddings as numbers it takes rightly. */
const withExplicitPadding =
  (isDepthwise: boolean): Correction =>
  ({ x, args, original }) => {
    const { strides, dilations, pad, dimRoundingMode } = args.attrs as unknown as ConvolutionAttrs; // a convolution's
    if (pad !== "same") return original(args);
    const filter = args.inputs.filter as TensorInfo; // a convolution's
    const { padInfo } = backend_util.computeConv2DInfo(
      x.shape as Rank4,
      filter.shape as Rank4,
      strides,
      dilations ?? 1,
      pad,
      dimRoundingMode,
      isDepthwise,
    );
    const { top, bottom, left, right } = padInfo;
    const paddings = [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ];
    return original({ ...args, attrs: { ...args.attrs, pad: paddings } });
  };

type Rank4 = [number, number, number, number];

interface ConvolutionAttrs {
  readonly strides: number | [number, number];
  readonly dilations: number | [number, number] | undefined;
  readonly pad: "same" | "valid" | number | [number, number][];
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

/** Our own kernel where it can do it, else what is given. */
const preferring =
  (own: (args: Call["args"]) => TensorInfo | undefined, correction: Correction): Correction =>
  (call) =>
    own(call.args) ?? correction(call);

/** XNNPACK computes nothing of more axes, and what was in memory stays. */
const upToSixAxes: Correction = ({ kernel, args, original }) => {
  const { a, b } = args.inputs as { a: TensorInfo; b: TensorInfo }; // of two tensors
  if (Math.max(a.shape.length, b.shape.length) <= 6) return original(args);
  throw missingKernel(kernel, "more than 6 axes");
};

const asItIs: Correction = ({ args, original }) => original(args);

/** A fused kernel that takes any bias: our own where it can do it, else in steps, unless the bias is a vector. */
const withAnyBias =
  (own: (args: Call["args"]) => TensorInfo | undefined, correction: Correction): Correction =>
  (call) =>
    own(call.args) ??
    withWholeBias(call.args, (args) => own(args) ?? correction({ ...call, args })) ??
    correction(call);

/** What TensorFlow.js's kernels get wrong, or do slowly, and how ours call them so that they don't. */
const corrections: Readonly<Record<string, Correction>> = {
  Conv2D: preferring(convolve, withExplicitPadding(false)),
  FusedConv2D: withAnyBias(convolve, withExplicitPadding(false)),
  DepthwiseConv2dNative: preferring(convolveDepthwise, withExplicitPadding(true)),
  FusedDepthwiseConv2D: withAnyBias(convolveDepthwise, withExplicitPadding(true)),
  Conv2DBackpropInput: preferring(convolveTransposed, asItIs),
  Concat: preferring(concatenate, asItIs),
  BatchMatMul: preferring(multiplyTensors, ({ kernel, args, backend, original }) => {
    if (args.inputs.a?.dtype !== "float32") {
      throw missingKernel(kernel, "integers");
    }
    const out = original(args) as TensorInfo; // it has one output
    const { shape } = args.inputs.a as TensorInfo; // its first input
    if (shape.includes(0)) numbersOf(backend, out).fill(0); // XNNPACK computes nothing, and what was in memory stays
    return out;
  }),
  _FusedMatMul: withAnyBias(multiplyTensors, asItIs),
  Add: upToSixAxes,
  Maximum: upToSixAxes,
  Minimum: upToSixAxes,
  Multiply: upToSixAxes,
  RealDiv: upToSixAxes,
  SquaredDifference: upToSixAxes,
  Sub: upToSixAxes,
  GatherV2: ({ x, args, original }) =>
    args.attrs?.batchDims || x.dtype === "string" || sizeOf(x) === 0 ? gather(args) : original(args),
  MaxPool({ kernel, x, args, original }) {
    if (x.dtype !== "float32") throw missingKernel(kernel, "integers");
    return original(args);
  },
  /** Of nothing it divides by 0, which ends WebAssembly. */
  Transpose({ x, args, backend, original }) {
    if (sizeOf(x) > 0) return original(args);
    const { perm } = args.attrs as unknown as { readonly perm: readonly number[] }; // its attribute
    return backend.makeOutput(
      perm.map((axis) => x.shape[axis] as number), // of its axes
      x.dtype,
    );
  },
  /** It copies the bytes of a number: 2.5 becomes 2, and 0.5 becomes false. */
  Cast({ x, args, backend, original }) {
    if (args.attrs?.dtype !== "bool" || x.dtype === "bool") return original(args);
    const out = backend.makeOutput(x.shape, "bool");
    bytesOf(backend, out).set(numbersOf(backend, x).map((value) => (value === 0 ? 0 : 1)));
    return out;
  },
  /** It moves four bytes for each element, whatever the dtype, and so writes past a bool's end. */
  Reverse: (call) => (call.x.dtype === "bool" ? asIntegers(call, ["x"]) : call.original(call.args)),
  Select: (call) => (call.args.inputs.t?.dtype === "bool" ? asIntegers(call, ["t", "e"]) : call.original(call.args)),
  /** It takes the slopes in turn, along which axes they may lie. */
  Prelu({ x, args, backend, original }) {
    const alpha = args.inputs.alpha as TensorInfo; // it has one
    const inner = alpha.shape.slice(alpha.shape.findIndex((size) => size !== 1));
    if (sizeOf(alpha) === 1 || String(inner) === String(x.shape.slice(-inner.length))) return original(args);
    const run = (kernel: string, inputs: Call["args"]["inputs"]) =>
      getKernel(kernel, "wasm").kernelFunc({ inputs, attrs: {}, backend: args.backend }) as TensorInfo; // of one output
    const zeros = run("ZerosLike", { x });
    const whole = run("Add", { a: zeros, b: alpha });
    const out = original({ ...args, inputs: { x, alpha: whole } });
    for (const { dataId } of [zeros, whole]) backend.disposeData(dataId);
    return out;
  },
  /** Beyond the edge it takes other pixels than TensorFlow does. */
  Transform({ kernel, args, original }) {
    if (args.attrs?.fillMode !== "reflect") return original(args);
    throw missingKernel(kernel, "fill mode REFLECT");
  },
  /** It moves four bytes likewise, and calls what comes out float32. */
  StridedSlice(call) {
    const { x, args, backend, original } = call;
    if (x.dtype === "bool") return asIntegers(call, ["x"]);
    const out = original(args) as TensorInfo; // it has one output
    backend.dataIdMap.get(out.dataId).dtype = x.dtype;
    return { ...out, dtype: x.dtype };
  },
};

// Their maxima begin with the smallest positive number, so that no negative one is ever found.
const wrongKernels = ["Dilation2D", "MaxPool3D", "MaxPoolWithArgmax"];

const elementsOf: ReadElements = (backend, tensor) => numbersOf(backend as WasmBackend, tensor);

/** All kernels of the backend, with those that were wrong corrected, and those for complex numbers. */
const kernels: readonly KernelConfig[] = [
  ...complexWasmKernels,
  ...getKernelsForBackend("wasm").map((config) => checkDtypes(checkIndices(correct(config), elementsOf))),
];

/**
 * Puts corrected kernels in the place of those of TensorFlow.js's WebAssembly backend that compute, or write to
 * memory, what they shouldn't, leaves out those that can't be mended, and adds those for complex numbers. Doing it
 * again changes nothing.
 */
export function registerWasmKernels(): void {
  for (const config of kernels) {
    if (getKernel(config.kernelName, "wasm")) unregisterKernel(config.kernelName, "wasm");
    registerKernel(config);
  }
  for (const name of wrongKernels) if (getKernel(name, "wasm")) unregisterKernel(name, "wasm");
}

function correct(config: KernelConfig): KernelConfig {
  const { kernelName: kernel } = config;
  const correction = Object.hasOwn(corrections, kernel) ? corrections[kernel] : undefined;
  if (correction === undefined) return config;
  const kernelFunc: KernelFunc = (args) => {
    const x = (args.inputs.x ?? args.inputs.t ?? args.inputs.image) as TensorInfo; // each has one of them
    return correction({ kernel, x, args, backend: args.backend as WasmBackend, original: config.kernelFunc });
  };
  return { ...config, kernelFunc };
}

/** Calls the kernel with bool inputs as int32 tensors, and makes its output one of bools again. */
function asIntegers({ args, backend, original }: Call, names: readonly string[]): TensorInfo {
  const integers = Object.fromEntries(
    names.map((name) => {
      const bools = args.inputs[name] as TensorInfo; // the caller looked
      const copy = backend.makeOutput(bools.shape, "int32");
      numbersOf(backend, copy).set(numbersOf(backend, bools));
      return [name, copy];
    }),
  );
  const moved = original({ ...args, inputs: { ...args.inputs, ...integers } }) as TensorInfo; // these have one output
  const out = backend.makeOutput(moved.shape, "bool");
  const { memoryOffset } = backend.dataIdMap.get(moved.dataId); // integers, whatever the kernel calls them
  bytesOf(backend, out).set(new Int32Array(backend.wasm.HEAPU8.buffer, memoryOffset, sizeOf(moved)));
  for (const { dataId } of [...Object.values(integers), moved]) backend.disposeData(dataId);
  return out;
}
