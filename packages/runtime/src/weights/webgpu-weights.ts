import {
  dequantize,
  elementCount,
  InferenceError,
  type Quantization,
  quantizedDTypes,
  weightChannels,
} from "@nearside/core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { env, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Device } from "../plan/device.ts";
import { makeHalfTensor } from "../products/half-tensor.ts";
import { storeArray } from "./array-weights.ts";
import type { ByteReader } from "./byte-reader.ts";
import { type Expansion, expansionHeader, expansionShader, groupSize } from "./expansion-shader.ts";
import type { StoredWeight } from "./stored-weight.ts";
import { writeWords } from "./write-words.ts";

/**
 * Puts a model's weights onto a WebGPU device as they are stored, and makes numbers of them there. Small ones go
 * through arrays, whose values stay on the CPU: the backend computes with them there, and plans read them.
 */
export class WebgpuWeights {
  readonly #device: Device;
  readonly #backend: WebGPUBackend;
  readonly #halves: ReadonlySet<string>;
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly #faults: Promise<InferenceError | null>[] = [];

  /** `halves` are the names of weights that are to be float16 on the device, too. */
  constructor(device: Device, halves: ReadonlySet<string>) {
    this.#device = device;
    this.#backend = device.backend as WebGPUBackend; // the one of that name
    this.#halves = halves;
  }

  /** Rejects with `no-backend` for a weight that is too large for a buffer of the device. */
  async store(weight: StoredWeight, bytes: ByteReader): Promise<TensorInfo> {
    const { name, shape, dtype, quantization } = weight;
    if (staysOnCpu(weight)) return storeArray(weight, bytes, this.#device);
    this.#checkSize(weight);
    const toHalves = this.#halves.has(name);
    if (!toHalves && !goesAsStored(weight)) {
      const tensor = await storeArray(weight, bytes, this.#device);
      this.#watch(name, () => this.#bufferOf(tensor));
      return tensor;
    }
    const tensor = toHalves ? makeHalfTensor(this.#backend, shape) : this.#backend.makeTensorInfo([...shape], dtype);
    try {
      const buffer = this.#watch(name, () => this.#bufferOf(tensor));
      const isAsStored = toHalves ? quantization?.dtype === "float16" : quantization === undefined;
      if (isAsStored) await writeWords(bytes, weight, { queue: this.#backend.queue, buffer, start: 0 });
      else await this.#expand(weight, bytes, { words: buffer, toHalves });
      return tensor;
    } catch (error) {
      this.#backend.disposeData(tensor.dataId);
      throw error;
    }
  }

  /** Resolves once the device has found no fault in what it was given so far. Rejects with `out-of-memory` or `no-backend`. */
  async settled(): Promise<void> {
    const faults = await Promise.all(this.#faults);
    const fault = faults.find((found) => found !== null);
    if (fault) throw fault;
  }

  async #expand(weight: StoredWeight, bytes: ByteReader, { words, toHalves }: ExpansionTarget): Promise<void> {
    const { name, shape, quantization, storedBytes } = weight;
    const { device, queue } = this.#backend;
    const elements = elementCount(shape);
    const channels = weightChannels(shape, quantization?.dtype === "int8" ? quantization.axes : []);
    const header = expansionHeader({ elements, channels, table: tableOf(quantization) });
    const size = header.byteLength + 4 * Math.ceil(storedBytes / 4);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const stored = this.#watch(name, () => device.createBuffer({ size, usage }));
    try {
      queue.writeBuffer(stored, 0, header);
      await writeWords(bytes, weight, { queue, buffer: stored, start: header.byteLength });
      this.#watch(name, () => {
        const pipeline = this.#pipelineFor(quantization?.dtype ?? "float32", toHalves);
        this.#dispatch(pipeline, elements, [stored, words]);
      });
    } finally {
      stored.destroy(); // what was submitted before still reads it
    }
  }

  #dispatch(pipeline: GPUComputePipeline, elements: number, buffers: readonly GPUBuffer[]): void {
    const { device, queue } = this.#backend;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    const groups = Math.ceil(elements / (4 * groupSize));
    pass.dispatchWorkgroups(Math.min(groups, device.limits.maxComputeWorkgroupsPerDimension));
    pass.end();
    queue.submit([encoder.finish()]);
  }

  #pipelineFor(expansion: Expansion, toHalves: boolean): GPUComputePipeline {
    const key = `${expansion} ${toHalves}`;
    const made = this.#pipelines.get(key);
    if (made) return made;
    const { device } = this.#backend;
    const module = device.createShaderModule({ code: expansionShader(expansion, { toHalves }) });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  /** The buffer of a tensor, from the backend's pool. */
  #bufferOf({ dataId }: TensorInfo): GPUBuffer {
    this.#backend.uploadToGPU(dataId);
    return this.#backend.tensorMap.get(dataId).resource as GPUBuffer; // tensors made here have no texture
  }

  #checkSize({ name, shape }: StoredWeight): void {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#backend.device.limits;
    const [size, limit] = [4 * elementCount(shape), Math.min(maxBufferSize, maxStorageBufferBindingSize)]; // bool, too
    if (size <= limit) return;
    const message = `weight "${name}": expected at most ${limit} bytes, which is this device's limit, got ${size}`;
    throw new InferenceError("no-backend", `${message}; open another backend`);
  }

  /** Does what must not fail on the device, which reports it later: see {@link settled}. */
  #watch<T>(name: string, act: () => T): T {
    const { device } = this.#backend;
    const filters = ["validation", "out-of-memory"] as const;
    for (const filter of filters) device.pushErrorScope(filter);
    try {
      return act();
    } finally {
      for (const filter of filters.toReversed()) {
        this.#faults.push(device.popErrorScope().then((error) => error && refused(name, filter, error.message)));
      }
    }
  }
}

interface ExpansionTarget {
  readonly words: GPUBuffer;
  readonly toHalves: boolean;
}

/** True of what TensorFlow.js computes with on the CPU as long as it is there, and of what a device doesn't hold. */
function staysOnCpu({ dtype, shape }: StoredWeight): boolean {
  const isSmall = elementCount(shape) < env().getNumber("WEBGPU_CPU_HANDOFF_SIZE_THRESHOLD");
  return isSmall || dtype === "string" || dtype === "complex64";
}

/** True of what the device takes as it is stored. */
function goesAsStored({ shape, dtype, quantization }: StoredWeight): boolean {
  if (dtype === "bool") return false; // a byte there, four on the device
  return quantization?.dtype !== "uint16" || elementCount(shape) >= codeCount("uint16"); // or the table is the larger
}

/** What each code stands for: its bits. Nothing where there is no need of a table. */
function tableOf(quantization: Quantization | undefined): Uint32Array {
  if (quantization?.dtype !== "uint8" && quantization?.dtype !== "uint16") return new Uint32Array(0);
  const { dtype } = quantization;
  const codes = Array.from({ length: codeCount(dtype) }, (_, code) => code);
  const stored = dtype === "uint8" ? Uint8Array.from(codes) : new Uint8Array(Uint16Array.from(codes).buffer);
  return new Uint32Array(dequantize(stored, quantization, [codes.length]).buffer);
}

function codeCount(dtype: "uint8" | "uint16"): number {
  return 2 ** (8 * quantizedDTypes[dtype].bytes);
}

function refused(name: string, filter: GPUErrorFilter, reason: string): InferenceError {
  const code = filter === "out-of-memory" ? filter : "no-backend";
  return new InferenceError(code, `weight "${name}": the device refused it: ${reason}; open another backend`);
}
