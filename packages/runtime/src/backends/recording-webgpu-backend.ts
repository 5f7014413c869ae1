import { env } from "@tensorflow/tfjs-core";
import { bindElementwise } from "../fusion/bind-elementwise.ts";
import { bindSum } from "../fusion/bind-sum.ts";
import { groupElementwise } from "../fusion/group-elementwise.ts";
import { groupSums } from "../fusion/group-sums.ts";
import type { Fusion } from "../plan/device.ts";
import type { TileChoices } from "../products/tile-choice.ts";
import { CommandRecorder, unrecordable } from "../tape/command-recorder.ts";
import { RecordedBuffers } from "../tape/recorded-buffers.ts";
import { CorrectedWebgpuBackend } from "./corrected-webgpu-backend.ts";

// TensorFlow.js's name of the switch.
const compileOnly = "WEBGPU_ENGINE_COMPILE_ONLY";

type Base = CorrectedWebgpuBackend;

/** What was recorded: the commands, and the buffers that they need and that no tensor has any more. */
export interface Recording {
  readonly commands: CommandRecorder["commands"];
  readonly buffers: readonly GPUBuffer[];
}

/**
 * The WebGPU backend with two switches. While it records, commands are noted instead of run, no buffer that they refer
 * to goes back to the pool, and what can't be recorded throws `unsupported`: reading a tensor back, above all. While it
 * compiles, shaders are compiled and nothing is run, so nothing can be read either.
 */
export class RecordingWebgpuBackend extends CorrectedWebgpuBackend {
  readonly fusion: Fusion = {
    group: (nodes, wanted) => groupElementwise(groupSums(nodes, wanted), wanted),
    bindElementwise,
    bindSum,
  };
  /** Which products our shaders compute, as was measured on its device. */
  tileChoices: TileChoices = {};
  #recorder: CommandRecorder | undefined;
  #isCompiling = false;

  /** Records what `run` makes of the backend. What came before is submitted; nothing of `run` ever is. */
  record(run: () => void): Recording {
    this.submitCommands();
    const { bufferManager, bufferPool, queue, commandsPerSubmit } = this;
    const recorder = new CommandRecorder();
    const buffers = new RecordedBuffers(bufferPool);
    this.#recorder = recorder;
    this.queue = recorder.queue;
    this.bufferManager = buffers as unknown as Base["bufferManager"]; // as much of it as kernels use
    this.commandsPerSubmit = 1; // freed buffers wait for the submission before they can be used again
    try {
      run();
      this.submitCommands(); // it gives the last freed buffers back
      return { commands: recorder.commands, buffers: buffers.released };
    } catch (error) {
      this.submitCommands();
      for (const buffer of buffers.released) bufferPool.releaseBuffer(buffer, false);
      throw error;
    } finally {
      this.#recorder = undefined;
      Object.assign(this, { queue, bufferManager, commandsPerSubmit });
    }
  }

  /** Starts to compile the shaders that `run` needs which aren't there yet, and ends where it would read. */
  compile(run: () => void): void {
    this.#isCompiling = true;
    env().set(compileOnly, true);
    try {
      run();
    } finally {
      env().set(compileOnly, false);
      this.#isCompiling = false;
    }
  }

  override createEncoder(): GPUCommandEncoder {
    return this.#recorder?.encoder ?? super.createEncoder();
  }

  override read(dataId: object): ReturnType<Base["read"]> {
    this.#refuseToRead(dataId);
    return super.read(dataId);
  }

  override readSync(dataId: object): ReturnType<Base["readSync"]> {
    this.#refuseToRead(dataId);
    return super.readSync(dataId);
  }

  #refuseToRead(dataId: object): void {
    const isUnknown = (this.#recorder !== undefined || this.#isCompiling) && this.tensorMap.get(dataId).values == null;
    if (isUnknown) throw unrecordable("a tensor is read back");
  }
}
