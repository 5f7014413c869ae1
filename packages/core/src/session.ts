// Programs that compile for older libraries would not know AsyncDisposable.
/// <reference lib="esnext.disposable" preserve="true" />

import type { ImageInput } from "./image-input.ts";
import type { RunState } from "./run-state.ts";
import type { Signature } from "./signature.ts";
import type { StreamItems, StreamOptions, StreamStep } from "./stream.ts";
import type { Tensor, Tensors } from "./tensor.ts";

/** Where the arithmetic happens. */
export type Backend = "webgpu" | "webgl" | "wasm" | "cpu" | "tensorflow";

/**
 * What matrix products and convolutions take on WebGPU. With float16, their operands are rounded to it, and their larger
 * weights are kept in it; sums stay float32. Devices without float16 compute the same numbers in float32.
 */
export type Precision = "float32" | "float16";

/** The tensors that a model takes and returns, as `model.d.ts` beside a converted model declares them. */
export interface ModelTypes {
  readonly inputs: object;
  readonly outputs: object;
}

/** Any model: tensors by name. */
export interface AnyModel {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
}

/** What a run of such a model takes: its inputs, and an image in the place of any float32 tensor. */
export type InputsOf<M extends ModelTypes> = {
  readonly [Name in keyof M["inputs"]]:
    | M["inputs"][Name]
    | (Tensor<"float32"> extends M["inputs"][Name] ? ImageInput : never);
};

export interface RunOptions {
  /** The outputs to compute, by name; all of them by default. */
  readonly outputs?: readonly string[];
  /** Ends the call early: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Hands the inputs' buffers over instead of copying them, where the session lives in another thread. If the device is
   * lost, such a run can't be run again.
   */
  readonly transfer?: boolean;
  /** Where runs wait for a batch, as on a server, those with 1 begin first, then 2 and so on; those with 0 (the default) last. */
  readonly priority?: number;
  /** Gives some of the inputs, which are then left out, and takes what they become. */
  readonly state?: Pick<RunState, "run">;
}

/** What a session's backend holds. Sessions that share a backend tell the same. */
export interface SessionMemory {
  /**
   * Weights, values in between, and what is kept for later runs. On wasm this is WebAssembly's memory, which never
   * shrinks; on cpu a tensor counts as often as it is held.
   */
  readonly deviceBytes: number;
  /** How many tensors these are. */
  readonly tensors: number;
}

/** A model that is loaded, warm and ready to run, wherever that may be. */
export interface Session<M extends ModelTypes = AnyModel> extends AsyncDisposable {
  /** The model's name or URL, as it was opened. */
  readonly model: string;
  readonly signature: Signature;
  readonly backend: Backend;
  /** `local`: on this device. `server`: elsewhere, over the network. */
  readonly location: "local" | "server";
  /** Whether the model keeps values from run to run. They are lost with its device. */
  readonly keepsState: boolean;
  /**
   * Runs the model once, on all its inputs but those that a state gives. Leave them as they are until it is over.
   * Rejects with an `InferenceError`: `invalid-argument` if the inputs don't fit the signature, `closed` after `close`,
   * `device-lost`, `out-of-memory`, `unavailable`.
   */
  run<State extends RunOptions["state"] = undefined>(
    inputs: State extends undefined ? InputsOf<M> : Partial<InputsOf<M>>, // which ones it gives is known when it runs
    options?: RunOptions & { readonly state?: State },
  ): Promise<M["outputs"]>;
  /**
   * Runs the model on one item after the other, and tells what comes of each: `for await (const { outputs } of …)`. Ends
   * with the source, or when its reader leaves; rejects as `run` and the source do.
   */
  stream<T = Partial<InputsOf<M>>>(
    items: StreamItems<T>,
    options?: StreamOptions<M, T>,
  ): AsyncGenerator<StreamStep<M, T>, void>;
  /** Tells what is on the device now. Rejects with `unsupported` where that is a server's. */
  memory(): Promise<SessionMemory>;
  /** Frees everything the session holds, after the runs in flight. Closing twice is the same as once. */
  close(): Promise<void>;
}
