import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { RecordingWebgpuBackend } from "../backends/recording-webgpu-backend.ts";
import { unrecordable } from "./command-recorder.ts";
import { type Elements, Tape, type TapeOutput } from "./tape.ts";

/** A tensor that isn't known yet. */
export interface TapeInput {
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
}

/** Computes on tensors whose elements it can't know: borrows its inputs, gives away what it returns. */
export type UnknownRun = (inputs: readonly TensorInfo[]) => readonly TensorInfo[];

/**
 * Records a run on inputs of these shapes. Throws `unsupported` where a run can't be repeated: it reads a tensor back, or
 * returns one that isn't of numbers; whatever it throws, nothing of it is left.
 */
export function recordTape(
  backend: RecordingWebgpuBackend,
  inputs: readonly TapeInput[],
  run: UnknownRun,
  throwIfLost: () => void,
): Tape {
  let written: readonly GPUBuffer[] = [];
  let outputs: readonly TapeOutput[] = [];
  const { commands, buffers } = backend.record(() =>
    withUnknownTensors(backend, inputs, (tensors) => {
      written = tensors.map(({ dataId }) => backend.tensorMap.get(dataId).resource as GPUBuffer); // they are on the device
      const results = run(tensors);
      try {
        outputs = results.map((result) => outputOf(backend, result));
      } finally {
        for (const { dataId } of results) backend.disposeData(dataId);
      }
    }),
  );
  const { device, bufferPool: pool } = backend;
  return new Tape(device, { commands, inputs: written, outputs, buffers, pool, throwIfLost });
}

/** Tensors on the device alone, so that nothing can be computed of their elements elsewhere. */
export function withUnknownTensors(
  backend: RecordingWebgpuBackend,
  inputs: readonly TapeInput[],
  use: (tensors: readonly TensorInfo[]) => void,
): void {
  const tensors = inputs.map((input) => unknownTensor(backend, input));
  try {
    use(tensors);
  } finally {
    for (const { dataId } of tensors) backend.disposeData(dataId);
  }
}

/** A tensor on the device whose elements only the device will know; the caller's to dispose of. */
export function unknownTensor(backend: RecordingWebgpuBackend, { shape, dtype }: TapeInput): TensorInfo {
  if (shape.includes(0)) throw unrecordable("an input is empty");
  const sizes = [...shape];
  const dataId = backend.write(null as never, sizes, dtype); // its types don't say that it may have no elements yet
  backend.uploadToGPU(dataId);
  return { dataId, shape: sizes, dtype };
}

function outputOf(backend: RecordingWebgpuBackend, { dataId, shape }: TensorInfo): TapeOutput {
  const { values, resource, dtype } = backend.tensorMap.get(dataId);
  if (dtype === "string" || dtype === "complex64") throw unrecordable(`an output is of ${dtype}`);
  if (values != null) return { shape, constant: values as Elements }; // as numbers are kept
  return { shape, dtype, buffer: resource as GPUBuffer }; // where the elements are if not here
}
