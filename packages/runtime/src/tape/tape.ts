import { util } from "@tensorflow/tfjs-core";
import type { BufferPool } from "../backends/buffer-pool.ts";
import type { Command } from "./command-recorder.ts";

export type Elements = Float32Array | Int32Array | Uint8Array;

/** Where an output is found after a replay: in a buffer, or nowhere, as it is the same each time. */
export type TapeOutput =
  | { readonly shape: readonly number[]; readonly dtype: "float32" | "int32" | "bool"; readonly buffer: GPUBuffer }
  | { readonly shape: readonly number[]; readonly constant: Elements };

/** A value that a replay gave. */
export interface TapeValue {
  readonly shape: readonly number[];
  readonly data: Elements;
}

export interface TapeParts {
  readonly commands: readonly Command[];
  /** One for each input, to be written before the commands. */
  readonly inputs: readonly GPUBuffer[];
  readonly outputs: readonly TapeOutput[];
  /** The buffers that are the tape's own. */
  readonly buffers: readonly GPUBuffer[];
  /** Where these come from, and others to read the outputs through. */
  readonly pool: BufferPool;
  /** Throws if the device is gone. */
  readonly throwIfLost: () => void;
}

/**
 * The commands of one run, to be submitted again on other inputs of the same shapes: what the kernels' JavaScript did is
 * not done again. Runs may overlap: the device takes them in order, and each copies its outputs into memory of its own.
 */
export class Tape {
  /** The memory of the device that the tape holds. */
  readonly bytes: number;
  readonly #device: GPUDevice;
  readonly #parts: TapeParts;
  readonly #stagingBytes: number;

  constructor(device: GPUDevice, parts: TapeParts) {
    this.#device = device;
    this.#parts = parts;
    this.#stagingBytes = sum(parts.outputs.map(bytesOf));
    this.bytes = sum(parts.buffers.map(({ size }) => size)) + this.#stagingBytes;
  }

  get outputs(): readonly TapeOutput[] {
    return this.#parts.outputs;
  }

  /**
   * Runs on these inputs, in the order and dtypes of the recording; some may be on the device. Outputs for which there is
   * a buffer in `kept`, by their place, are put there, and not read. Gives the others. Rejects with `device-lost`.
   */
  async run(
    inputs: readonly (Float32Array | Int32Array | GPUBuffer)[],
    kept: ReadonlyMap<number, GPUBuffer> = nothing,
  ): Promise<readonly TapeValue[]> {
    const { pool, throwIfLost } = this.#parts;
    throwIfLost();
    const given: [from: GPUBuffer, to: GPUBuffer][] = [];
    for (const [index, input] of inputs.entries()) {
      const target = this.#parts.inputs[index] as GPUBuffer; // one for each
      if (!ArrayBuffer.isView(input)) given.push([input, target]);
      else this.#device.queue.writeBuffer(target, 0, input.buffer as ArrayBuffer, input.byteOffset, input.byteLength);
    }
    const outputs = this.outputs.filter((_, index) => !kept.has(index));
    const stagingBytes = kept.size > 0 ? sum(outputs.map(bytesOf)) : this.#stagingBytes;
    if (stagingBytes === 0 && kept.size === 0) return outputs.map((output) => toValue(output, new ArrayBuffer(0), 0));
    const staging = pool.acquireBuffer(Math.max(stagingBytes, 4), GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
    try {
      const results = [...kept].map(([index, to]): [GPUBuffer, GPUBuffer] => [bufferOf(this.outputs[index]), to]);
      const [before, after] = [given, results].map((copies) => (copies.length > 0 ? [this.#copy(copies)] : []));
      this.#device.queue.submit([...(before ?? []), this.#encode(staging, outputs), ...(after ?? [])]);
      await staging.mapAsync(GPUMapMode.READ);
      const mapped = staging.getMappedRange();
      let offset = 0;
      const values = outputs.map((output) => {
        const value = toValue(output, mapped, offset);
        offset += bytesOf(output);
        return value;
      });
      staging.unmap();
      return values;
    } finally {
      pool.releaseBuffer(staging);
      pool.countRun();
      throwIfLost(); // then whatever else was thrown is due to that
    }
  }

  /** Frees the memory; runs in flight end well. */
  close(): void {
    for (const buffer of this.#parts.buffers) this.#parts.pool.releaseBuffer(buffer, false);
  }

  #copy(buffers: readonly (readonly [from: GPUBuffer, to: GPUBuffer])[]): GPUCommandBuffer {
    const encoder = this.#device.createCommandEncoder();
    for (const [from, to] of buffers) encoder.copyBufferToBuffer(from, 0, to, 0, to.size);
    return encoder.finish();
  }

  #encode(staging: GPUBuffer, outputs: readonly TapeOutput[]): GPUCommandBuffer {
    const encoder = this.#device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    let current: GPUComputePipeline | undefined;
    for (const command of this.#parts.commands) {
      if (command.kind === "dispatch") {
        pass ??= encoder.beginComputePass();
        if (command.pipeline !== current) pass.setPipeline(command.pipeline);
        current = command.pipeline;
        pass.setBindGroup(0, command.bindGroup);
        pass.dispatchWorkgroups(...command.workgroups);
      } else {
        pass?.end();
        pass = current = undefined;
        const { source, sourceOffset, target, targetOffset, bytes } = command;
        encoder.copyBufferToBuffer(source, sourceOffset, target, targetOffset, bytes);
      }
    }
    pass?.end();
    let offset = 0;
    for (const output of outputs) {
      const bytes = bytesOf(output);
      if ("buffer" in output) encoder.copyBufferToBuffer(output.buffer, 0, staging, offset, bytes);
      offset += bytes;
    }
    return encoder.finish();
  }
}

const nothing: ReadonlyMap<number, GPUBuffer> = new Map();

function bufferOf(output: TapeOutput | undefined): GPUBuffer {
  if (output && "buffer" in output) return output.buffer;
  throw new Error("a constant is kept on the device by whoever knows it"); // see TapedRuns
}

/** All elements take four bytes on the device, bools as well. */
function bytesOf(output: TapeOutput): number {
  return "buffer" in output ? util.sizeFromShape([...output.shape]) * 4 : 0;
}

function toValue(output: TapeOutput, mapped: ArrayBuffer, offset: number): TapeValue {
  const { shape } = output;
  if ("constant" in output) return { shape, data: output.constant.slice() };
  const bytes = mapped.slice(offset, offset + bytesOf(output));
  if (output.dtype === "float32") return { shape, data: new Float32Array(bytes) };
  const integers = new Int32Array(bytes);
  return { shape, data: output.dtype === "int32" ? integers : Uint8Array.from(integers) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
