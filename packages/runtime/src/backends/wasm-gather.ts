import { backend_util, type KernelFunc, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { numbersOf, type WasmBackend } from "./wasm-memory.ts";

/**
 * `GatherV2` as x [b, o, n, s] and indices [b, k] to [b, o, k, s]. TensorFlow.js's WebAssembly kernel takes the wrong
 * places where there are batches, also beyond x, gives another shape of nothing, and breaks WebAssembly off for strings.
 * The indices are within [0, n).
 */
export function gather({ inputs, attrs, backend }: Parameters<KernelFunc>[0]): TensorInfo {
  const { x, indices } = inputs as { x: TensorInfo; indices: TensorInfo }; // its own
  const { axis, batchDims } = attrs as unknown as { readonly axis: number; readonly batchDims: number };
  const along = util.parseAxisParam(axis, x.shape)[0] as number; // of one axis
  const collect = backend_util.segment_util.collectGatherOpShapeInfo;
  const info = collect(x as Parameters<typeof collect>[0], indices as Parameters<typeof collect>[1], along, batchDims);
  const { sliceSize, outputShape } = info;
  const wasm = backend as WasmBackend;
  if (x.dtype === "string") {
    const texts = wasm.readSync(x.dataId) as readonly Uint8Array[]; // of strings
    const picked = beginsOf(info, numbersOf(wasm, indices)).flatMap((begin) => texts.slice(begin, begin + sliceSize));
    return wasm.makeOutput(outputShape, "string", undefined, picked);
  }
  const out = wasm.makeOutput(outputShape, x.dtype); // before the others are looked at, since memory may move
  const [to, from, places] = [out, x, indices].map((tensor) => numbersOf(wasm, tensor)) as [Numbers, Numbers, Numbers];
  let at = 0;
  for (const begin of beginsOf(info, places)) {
    to.set(from.subarray(begin, begin + sliceSize), at);
    at += sliceSize;
  }
  return out;
}

type Numbers = ReturnType<typeof numbersOf>;

interface Sizes {
  readonly batchSize: number;
  readonly outerSize: number;
  readonly dimSize: number;
  readonly sliceSize: number;
}

/** Where in x each slice of the output begins. */
function beginsOf({ batchSize, outerSize, dimSize, sliceSize }: Sizes, places: Numbers): readonly number[] {
  const count = batchSize === 0 ? 0 : places.length / batchSize;
  const begins: number[] = [];
  for (let row = 0; row < batchSize * outerSize; row++) {
    const first = Math.floor(row / outerSize) * count;
    for (let index = first; index < first + count; index++) {
      begins.push((row * dimSize + (places[index] as number)) * sliceSize); // it has that index
    }
  }
  return begins;
}
