import { InferenceError, type Precision } from "@nearside/core";
import {
  backend as currentBackend,
  type DataType,
  engine,
  getBackend,
  getKernel,
  type KernelBackend,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
  type Tensor as TfjsTensor,
} from "@tensorflow/tfjs-core";
import type { bindElementwise } from "../fusion/bind-elementwise.ts";
import type { bindSum } from "../fusion/bind-sum.ts";
import type { Elements } from "../products/product-shader.ts";
import { withElements } from "../products/with-elements.ts";
import type { GraphNode, OutputRef } from "./graph-def.ts";

/** The TensorFlow.js backend that a plan runs on, and what is needed of it. */
export interface Device {
  readonly name: string;
  readonly backend: KernelBackend;
  /** What products are computed in by our shaders; undefined where TensorFlow.js's kernels compute them. */
  readonly productElements?: Elements | undefined;
  /** How nodes become fewer kernels; undefined where each is its own. */
  readonly fusion?: Fusion | undefined;
}

/** What puts nodes together that one kernel can compute. A backend brings it along, so that others' workers lack it. */
export interface Fusion {
  /** See `groupElementwise` and `groupSums`. */
  group(nodes: readonly GraphNode[], wanted: readonly OutputRef[]): readonly GraphNode[];
  readonly bindElementwise: typeof bindElementwise;
  readonly bindSum: typeof bindSum;
}

/** A kernel of a backend, found once. */
export type BoundKernel = (inputs: NamedTensorInfoMap | readonly TensorInfo[], attrs?: object) => TensorInfo;

/** The current backend of this thread. Only webgpu knows of another precision than float32. */
export function currentDevice(precision: Precision = "float32"): Device {
  const [name, backend] = [getBackend(), currentBackend()];
  if (name !== "webgpu") return { name, backend };
  const { device, fusion } = backend as KernelBackend & { readonly device: GPUDevice; readonly fusion?: Fusion }; // it's ours
  if (precision === "float32") return { name, backend, fusion };
  return { name, backend, fusion, productElements: device.features.has("shader-f16") ? "float16" : "rounded" };
}

/** The kernel `name` of a backend. Throws `no-backend` where there is none. */
export function bindKernel({ name: backendName, backend, productElements }: Device, name: string): BoundKernel {
  const kernel = getKernel(name, backendName);
  if (!kernel) {
    throw new InferenceError("no-backend", `backend "${backendName}" has no kernel "${name}"; open another backend`);
  }
  const run = kernel.kernelFunc;
  // Kernels of several tensors take them as a list and return a list, which the types don't say.
  const call: BoundKernel = (inputs, attrs) =>
    run({ inputs: inputs as NamedTensorInfoMap, attrs: attrs as NamedAttrMap, backend }) as TensorInfo;
  if (productElements === undefined) return call;
  return (inputs, attrs) => withElements(backend, productElements, () => call(inputs, attrs));
}

/** Puts values onto the device as a tensor that the caller holds. */
export function makeTensor(
  { backend }: Device,
  values: Int32Array | Float32Array | Uint8Array | readonly Uint8Array[],
  shape: readonly number[],
  dtype: DataType,
): TensorInfo {
  const sizes = [...shape];
  return { dataId: backend.write(values as Int32Array, sizes, dtype), shape: sizes, dtype }; // strings are bytes there
}

/** Where a backend keeps its tensors. */
interface Stored {
  get(dataId: object): { readonly values?: Int32Array | null };
}

/** The elements of a tensor of numbers: at once where they are at hand, later where the device has them. */
export function readNumbers(device: Device, tensor: TensorInfo): ArrayLike<number> | Promise<ArrayLike<number>> {
  const { tensorMap, texData } = device.backend as unknown as Partial<Record<"tensorMap" | "texData", Stored>>;
  const stored = tensorMap ?? texData; // of webgpu, of webgl
  if (stored === undefined) return device.backend.readSync(tensor.dataId) as Int32Array;
  // What these backends computed on the CPU, they keep there; a synchronous read of the rest would block.
  return stored.get(tensor.dataId).values ?? (device.backend.read(tensor.dataId) as Promise<Int32Array>);
}

/** A tensor for TensorFlow.js's own ops, which the caller disposes of; the one that it was made from stays. */
export function toTfjsTensor({ backend }: Device, tensor: TensorInfo): TfjsTensor {
  backend.incRef(tensor.dataId);
  return engine().makeTensorFromTensorInfo(tensor, backend);
}

/** The reverse: what the tensor holds, for the caller to hold. The tensor itself is disposed of. */
export function fromTfjsTensor({ backend }: Device, tensor: TfjsTensor): TensorInfo {
  const { dataId, shape, dtype } = tensor;
  backend.incRef(dataId);
  tensor.dispose();
  return { dataId, shape, dtype };
}
