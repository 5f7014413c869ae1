import { type KernelConfig, type KernelFunc, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { invalid } from "../kernels/plain-tensors.ts";

type Arguments = Parameters<KernelFunc>[0];

/** A tensor's elements where the backend keeps them. */
export type ReadElements = (backend: Arguments["backend"], tensor: TensorInfo) => ArrayLike<number>;

interface Call {
  readonly kernel: string;
  /** The kernel's inputs by their names, each of which it has. */
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: Arguments["attrs"];
  read(tensor: TensorInfo): ArrayLike<number>;
}

type Check = (call: Call) => void;

/** What the elements of a kernel's inputs must be, beyond what TensorFlow.js asks of their shapes. */
const checks: Readonly<Record<string, Check>> = {
  GatherNd: ({ kernel, inputs: { params, indices }, read }) =>
    checkPlaces(kernel, read(indices as TensorInfo), (params as TensorInfo).shape, indices?.shape.at(-1)),
  GatherV2({ kernel, inputs, attrs, read }) {
    const { x, indices } = inputs as { x: TensorInfo; indices: TensorInfo }; // its own
    const [axis = 0] = util.parseAxisParam(Number(attrs?.axis), x.shape);
    checkPlaces(kernel, read(indices), x.shape.slice(axis, axis + 1), 1);
  },
  ScatterNd: ({ kernel, inputs: { indices }, attrs, read }) =>
    checkPlaces(kernel, read(indices as TensorInfo), attrs?.shape as number[], depthOf(indices)),
  TensorScatterUpdate: ({ kernel, inputs: { tensor, indices }, read }) =>
    checkPlaces(kernel, read(indices as TensorInfo), (tensor as TensorInfo).shape, depthOf(indices)),
  SparseToDense: ({ kernel, inputs: { sparseIndices }, attrs, read }) =>
    checkPlaces(kernel, read(sparseIndices as TensorInfo), attrs?.outputShape as number[], depthOf(sparseIndices)),
  CropAndResize({ kernel, inputs, read }) {
    const { image, boxes, boxInd } = inputs as { image: TensorInfo; boxes: TensorInfo; boxInd: TensorInfo }; // its own
    if (image.shape.slice(1, 3).includes(0)) throw invalid(kernel, `expected images of pixels, got [${image.shape}]`);
    checkPlaces(kernel, read(boxInd), image.shape.slice(0, 1), 1);
    const edges = read(boxes);
    for (let at = 0; at < edges.length; at++) {
      if (!Number.isFinite(edges[at])) throw invalid(kernel, `expected boxes of finite numbers, got ${edges[at]}`);
    }
  },
  SparseSegmentMean: checkSegments,
  SparseSegmentSum: checkSegments,
  Bincount: checkCounted,
  DenseBincount: checkCounted,
};

/**
 * A kernel that throws `invalid-argument` for indices beyond what they point into. TensorFlow.js's WebAssembly kernels
 * read and write wherever an index leads, and those in JavaScript take one that is too large along an inner axis.
 */
export function checkIndices(config: KernelConfig, readElements: ReadElements): KernelConfig {
  const { kernelName, kernelFunc } = config;
  const check = Object.hasOwn(checks, kernelName) ? checks[kernelName] : undefined;
  if (check === undefined) return config;
  const checked: KernelFunc = (args) => {
    const read = (tensor: TensorInfo) => readElements(args.backend, tensor);
    check({ kernel: kernelName, inputs: args.inputs as Call["inputs"], attrs: args.attrs, read }); // all are given
    return kernelFunc(args);
  };
  return { ...config, kernelFunc: checked };
}

/** Of `indices`, each `depth` in turn are a place within the first axes of a tensor of `shape`. */
function checkPlaces(kernel: string, indices: ArrayLike<number>, shape: readonly number[], depth = 1): void {
  const { length } = indices;
  for (let axis = 0; axis < Math.min(depth, shape.length); axis++) {
    const size = shape[axis] ?? 0;
    let signs = 0; // negative once one of the numbers was; branches would take twice as long
    for (let at = axis; at < length; at += depth) {
      const index = indices[at] as number; // within
      signs |= index | (size - 1 - index);
    }
    if (signs >= 0) continue;
    const isOutside = (_: unknown, at: number) =>
      at % depth === axis && ((indices[at] as number) < 0 || (indices[at] as number) >= size);
    const wrong = Array.from(indices).findIndex(isOutside);
    const message = `index ${indices[wrong]}, at ${Math.floor(wrong / depth)} for axis ${axis}, is outside [0, ${size})`;
    throw invalid(kernel, message);
  }
}

/** How many indices tell a place: TensorFlow.js takes a vector for places along one axis. */
function depthOf(indices: TensorInfo | undefined): number | undefined {
  return indices && indices.shape.length > 1 ? indices.shape.at(-1) : 1;
}

/** The kernel takes as many ids as there are indices, and the last for the number of segments. */
function checkSegments({ kernel, inputs }: Call): void {
  const { data, indices, segmentIds } = inputs as { data: TensorInfo; indices: TensorInfo; segmentIds: TensorInfo }; // its own
  const isOnePerIndex = indices.shape.length === 1 && String(indices.shape) === String(segmentIds.shape);
  if (isOnePerIndex && data.shape.length > 0) return;
  const got = `[${data.shape}], [${indices.shape}] and [${segmentIds.shape}]`;
  throw invalid(kernel, `expected rows, indices [n] of them and segment ids [n], got ${got}`);
}

function checkCounted({ kernel, inputs: { x }, read }: Call): void {
  const numbers = read(x as TensorInfo);
  let signs = 0; // as above
  for (let at = 0; at < numbers.length; at++) signs |= numbers[at] as number; // within
  if (signs >= 0) return;
  const wrong = Array.from(numbers).findIndex((value) => value < 0);
  throw invalid(kernel, `expected numbers from 0, got ${numbers[wrong]} at ${wrong}`);
}
