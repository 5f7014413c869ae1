import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { util } from "@tensorflow/tfjs-core";
import { BindGroups } from "./bind-groups.ts";
import { OpenWebgpuBackend, type Program, type ProgramUniforms, type TensorInfo } from "./open-webgpu-backend.ts";
import { UniformBuffers, UniformWords } from "./uniform-buffers.ts";

interface Lean {
  /** The compiled shaders by what they depend on, and those that are being compiled. */
  readonly pipelines: Record<string, GPUComputePipeline | Promise<GPUComputePipeline>>;
  /** Commands to gather before they are submitted: enough for the device to begin while the next are encoded. */
  commandsPerSubmit: number;
  /** Submits what has been encoded so far. */
  submitCommands(): void;
  /** What the next commands are encoded by. */
  createEncoder(): GPUCommandEncoder;
}

class LeanBackend extends OpenWebgpuBackend implements Lean {
  commandsPerSubmit = 15;
  readonly #uniforms: UniformBuffers;
  readonly #words = new UniformWords();
  readonly #bindGroups: BindGroups;

  constructor(device: GPUDevice, info?: GPUAdapterInfo) {
    super(device, info);
    this.#uniforms = new UniformBuffers(device);
    this.#bindGroups = new BindGroups(device);
  }

  override recordAndSubmit(
    program: Program,
    output: TensorInfo,
    inputs: TensorInfo[],
    uniforms: ProgramUniforms = [],
  ): void {
    // Pixels have bindings of their own, and timed kernels passes of their own.
    const isOther = program.pixelsOpType != null || this.activeTimers != null || program.pipeline instanceof Promise;
    if (isOther) {
      super.recordAndSubmit(program, output, inputs, uniforms);
      return;
    }
    const pipeline = program.pipeline as GPUComputePipeline; // the program was compiled, or it would be a promise
    const buffers = [output, ...inputs].map(({ dataId }) => {
      this.commandQueueOwnedIds.add(dataId);
      return this.tensorMap.get(dataId).resource as GPUBuffer; // it is on the device
    });
    buffers.push(this.#uniforms.bufferOf(this.#layOut(program, output, inputs, uniforms)));
    const bindGroup = this.#bindGroups.of(pipeline, buffers);
    this.ensureCommandEncoderReady();
    this.computePassEncoder ??= (this.commandEncoder as GPUCommandEncoder).beginComputePass(); // it is ready
    const [x, y, z] = program.dispatch;
    this.computePassEncoder.setPipeline(pipeline);
    this.computePassEncoder.setBindGroup(0, bindGroup);
    this.computePassEncoder.dispatchWorkgroups(x, y, z);
    if (++this.dispatchCountInPass >= this.commandsPerSubmit) this.submitCommands();
  }

  get pipelines() {
    return this.pipelineCache;
  }

  createEncoder(): GPUCommandEncoder {
    return this.device.createCommandEncoder();
  }

  override ensureCommandEncoderReady(): void {
    this.commandEncoder ??= this.createEncoder();
  }

  submitCommands(): void {
    if (this.commandEncoder === null) return;
    this.endComputePassEncoder();
    this.submitQueue();
  }

  /** The fields in the order in which TensorFlow.js's shaders declare them. */
  #layOut(program: Program, output: TensorInfo, inputs: readonly TensorInfo[], uniforms: ProgramUniforms): Int32Array {
    const words = this.#words;
    words.clear();
    words.add("float32", [Number.NaN]);
    words.add("float32", [Number.POSITIVE_INFINITY]);
    for (const { shape } of [...inputs, output]) {
      words.add("int32", shape);
      words.add("int32", util.computeStrides(shape));
    }
    if (program.size) words.add("int32", [util.sizeFromShape(program.outputShape) / (program.outputComponent || 1)]);
    for (const { type, data } of uniforms) words.add(type, data);
    return words.words;
  }
}

/**
 * TensorFlow.js's WebGPU backend with less work for each command: uniforms that an earlier command had are not written
 * again, nor is a bind group made again. Typed as the class that it extends, so that others can extend it.
 */
export const LeanWebgpuBackend = LeanBackend as unknown as new (
  device: GPUDevice,
  info?: GPUAdapterInfo,
) => WebGPUBackend & Lean;
