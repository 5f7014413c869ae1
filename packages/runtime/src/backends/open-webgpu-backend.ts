import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

type RunProgram = WebGPUBackend["runWebGPUProgram"];

/** A kernel's shader and how often it is dispatched, made anew for each run. */
export type Program = Parameters<RunProgram>[0];
export type ProgramArguments = Parameters<RunProgram> extends [unknown, ...infer Rest] ? Rest : never;
export type ProgramUniforms = NonNullable<ProgramArguments[2]>;
export type TensorInfo = ReturnType<RunProgram>;

/** What TensorFlow.js's types hide of its WebGPU backend: how it encodes commands. The package's version is pinned. */
interface Hidden {
  /** Set while kernels are timed. */
  readonly activeTimers?: unknown;
  /** The encoder of the commands that are not submitted yet. */
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  /** Tensors that commands which are not submitted yet refer to; freed buffers of these wait for the submission. */
  readonly commandQueueOwnedIds: WeakSet<object>;
  dispatchCountInPass: number;
  readonly pipelineCache: Record<string, GPUComputePipeline | Promise<GPUComputePipeline>>;
  ensureCommandEncoderReady(): void;
  recordAndSubmit(program: Program, output: TensorInfo, inputs: TensorInfo[], uniforms?: ProgramUniforms): void;
}

/** TensorFlow.js's WebGPU backend, for subclasses that change how it encodes commands. */
export type OpenWebgpuBackend = Pick<WebGPUBackend, Exclude<keyof WebGPUBackend, keyof Hidden>> & Hidden;

// Its private methods are ordinary methods, which the types alone keep from being overridden.
export const OpenWebgpuBackend = WebGPUBackend as unknown as new (
  device: GPUDevice,
  info?: GPUAdapterInfo,
) => OpenWebgpuBackend;
