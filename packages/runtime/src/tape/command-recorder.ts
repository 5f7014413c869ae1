import { InferenceError } from "@nearside/core";

/** What a device is told to do when a tape is replayed. */
export type Command =
  | {
      readonly kind: "dispatch";
      readonly pipeline: GPUComputePipeline;
      readonly bindGroup: GPUBindGroup;
      /** In x, y and z; those that are 1 are left out at the end, since each argument takes time. */
      readonly workgroups: readonly [number, number?, number?];
    }
  | {
      readonly kind: "copy";
      readonly source: GPUBuffer;
      readonly sourceOffset: number;
      readonly target: GPUBuffer;
      readonly targetOffset: number;
      readonly bytes: number;
    };

type Copy = [source: GPUBuffer, sourceOffset: number, target: GPUBuffer, targetOffset: number, bytes: number];

/**
 * Stands in for a device's queue and its encoders: notes the commands, and does nothing. Of their methods it has those
 * that can be repeated; any other throws `unsupported`, which ends the recording.
 */
export class CommandRecorder {
  readonly commands: Command[] = [];
  readonly queue = only<GPUQueue>({ submit: () => {} }); // nothing is written, nothing submitted
  readonly encoder = only<GPUCommandEncoder>({
    beginComputePass: () => this.#pass(),
    copyBufferToBuffer: (...[source, sourceOffset, target, targetOffset, bytes]: Copy) => {
      this.commands.push({ kind: "copy", source, sourceOffset, target, targetOffset, bytes });
    },
    finish: () => {},
  });

  #pass(): GPUComputePassEncoder {
    let pipeline: GPUComputePipeline | undefined;
    let bindGroup: GPUBindGroup | undefined;
    return only<GPUComputePassEncoder>({
      setPipeline: (given: GPUComputePipeline) => {
        pipeline = given;
      },
      setBindGroup: (_index: 0, given: GPUBindGroup) => {
        bindGroup = given;
      },
      dispatchWorkgroups: (x: number, y = 1, z = 1) => {
        if (pipeline === undefined || bindGroup === undefined) throw new Error("dispatched without a pipeline");
        const workgroups = z !== 1 ? ([x, y, z] as const) : y !== 1 ? ([x, y] as const) : ([x] as const);
        this.commands.push({ kind: "dispatch", pipeline, bindGroup, workgroups });
      },
      end: () => {},
    });
  }
}

/** An object of which only these methods can be used. */
function only<T extends object>(methods: Readonly<Record<string, unknown>>): T {
  return new Proxy(methods, {
    get(target, name) {
      if (typeof name === "symbol" || Object.hasOwn(target, name)) return target[name as string];
      throw unrecordable(`the device is asked for ${name}`);
    },
  }) as T;
}

/** What ends a recording. */
export function unrecordable(reason: string): InferenceError {
  return new InferenceError("unsupported", `a run can't be recorded in which ${reason}`);
}
