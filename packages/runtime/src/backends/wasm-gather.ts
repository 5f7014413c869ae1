import { backend_util, type KernelFunc, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { numbersOf, type WasmBackend } from "./wasm-memory.ts";

/**
 * `GatherV2` with batch axes: x [b, o, n, s] and indices [b, k] to [b, o, k, s]. TensorFlow.js's WebAssembly kernel
 * takes the wrong places for it, also beyond x. The indices are within [0, n).
 */
export function gatherInBatches({ inputs, attrs, backend }: Parameters<KernelFunc>[0]): TensorInfo {
  const { x, indices } = inputs as { x: TensorInfo; indices: TensorInfo }; // its own
  const { axis, batchDims } = attrs as unknown as { readonly axis: number; readonly batchDims: number };
  const along = util.parseAxisParam(axis, x.shape)[0] as number; // of one axis
  const collect = backend_util.segment_util.collectGatherOpShapeInfo;
  const info = collect(x as Parameters<typeof collect>[0], indices as Parameters<typeof collect>[1], along, batchDims);
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
  const wasm = backend as WasmBackend;
  const out = wasm.makeOutput(outputShape, x.dtype); // before the others are looked at, since memory may move
  const [to, from, places] = [out, x, indices].map((tensor) => numbersOf(wasm, tensor)) as [Numbers, Numbers, Numbers];
  const count = batchSize === 0 ? 0 : places.length / batchSize;
  let at = 0;
  for (let row = 0; row < batchSize * outerSize; row++) {
    const first = Math.floor(row / outerSize) * count;
    for (let index = first; index < first + count; index++) {
      const begin = (row * dimSize + (places[index] as number)) * sliceSize; // it has that index
      to.set(from.subarray(begin, begin + sliceSize), at);
      at += sliceSize;
    }
  }
  return out;
}

type Numbers = ReturnType<typeof numbersOf>;
