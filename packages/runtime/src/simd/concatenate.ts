import { backend_util, type KernelFunc, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { addressOf, type WasmBackend } from "../backends/wasm-memory.ts";

/** `Concat` of numbers of four bytes by our kernels; TensorFlow.js's calls JavaScript for each run. Else undefined. */
export function concatenate({ inputs, attrs, backend: given }: Parameters<KernelFunc>[0]): TensorInfo | undefined {
  const backend = given as WasmBackend;
  const { simd } = backend;
  const tensors = Array.from(inputs as unknown as readonly TensorInfo[]); // a list, which the types don't say
  const [first] = tensors;
  const isMovable = tensors.every(({ dtype }) => dtype === first?.dtype && (dtype === "float32" || dtype === "int32"));
  if (!simd || !first || tensors.length < 2 || !isMovable) return undefined;
  const [axis = 0] = util.parseAxisParam((attrs as unknown as { readonly axis: number }).axis, first.shape); // its own
  const shapes = tensors.map(({ shape }) => shape);
  backend_util.assertParamsConsistent(shapes, axis);
  const output = backend.makeOutput(backend_util.computeOutShape(shapes, axis), first.dtype);
  const count = util.sizeFromShape(first.shape.slice(0, axis));
  const outBytes = util.sizeFromShape(output.shape.slice(axis)) * 4;
  let to = addressOf(backend, output);
  for (const tensor of tensors) {
    const size = util.sizeFromShape(tensor.shape.slice(axis));
    if (size === 0) continue;
    simd.calls.call("copyPatches", addressOf(backend, tensor), size * 4, 0, 0, to, outBytes, 0, 0, count, 1, 1, size);
    simd.calls.endGroup();
    to += size * 4;
  }
  simd.calls.finish();
  return output;
}
