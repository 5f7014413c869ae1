import type { RunInputs } from "../image-input.ts";
import type { StateNames } from "../run-state.ts";
import type { Precision, Session, SessionMemory } from "../session.ts";
import type { Tensor, Tensors } from "../tensor.ts";

/** What a session elsewhere is asked, and what it answers. One row per call; every transport carries exactly these. */
export interface Protocol {
  open: { request: OpenRequest; reply: SessionInfo };
  run: { request: RunRequest; reply: Tensors };
  readState: { request: { readonly id: number }; reply: readonly Tensor[] };
  freeState: { request: { readonly id: number }; reply: null };
  memory: { request: null; reply: SessionMemory };
  close: { request: null; reply: null };
}

export type Method = keyof Protocol;

export interface OpenRequest {
  /** URL of `model.json`, or the model's name on a server, or what messages are to call `files`. */
  readonly model: string;
  /** The model's files by path, `model.json` among them, where the caller has them itself. */
  readonly files?: ReadonlyMap<string, Blob> | undefined;
  /** Addresses of the same `model.json`, `model` among them, in the order in which to ask for the shards beside it. */
  readonly addresses?: readonly string[];
  /** Sent with the requests for files of the origin that `model` has, and to no other. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The text of `model.json`, where who asks has it; else it is read there, and comes with the reply. */
  readonly manifest?: string | undefined;
  /** Whether the first address was just asked in vain, with no network or by a server that failed. */
  readonly isUnreachable?: boolean;
  /** Whether the shards must be those that the cache knows for this manifest: there is no network, or it opens again. */
  readonly isKnown?: boolean;
  /** Keep the weights for the next open, where there is a cache. */
  readonly cache?: boolean;
  /** Run before the session counts as open. */
  readonly warmUp?: boolean;
  /** What products take, on webgpu. */
  readonly precision?: Precision;
}

/** What is known of a session once it is open. */
export interface SessionInfo extends Pick<Session, "signature" | "backend" | "keepsState"> {
  /** The text of `model.json`, where a request without it made the session. */
  readonly manifest?: string | undefined;
}

export interface RunRequest {
  readonly inputs: RunInputs;
  readonly outputs?: readonly string[];
  /** Which runs go first where they wait for a batch; see `RunOptions`. */
  readonly priority?: number;
  /** What the session holds on its device and the run goes on with. */
  readonly state?: StateRequest;
}

/** A state on the device of a session elsewhere, until it is freed. */
export interface StateRequest {
  readonly id: number;
  readonly names: StateNames;
  /** What it begins with, in its first run (see `StatePlace.hold`). */
  readonly values?: readonly Tensor[];
}

/** How far an open has come. */
export interface Progress {
  /** `download`: weights come from the network or the cache; `compile`: the first run; `ready`: all is done. */
  readonly phase: "download" | "compile" | "ready";
  /** Bytes of weights so far. */
  readonly loadedBytes: number;
  /** Null while unknown. */
  readonly totalBytes: number | null;
  /** How many of the bytes came from the cache. */
  readonly cachedBytes: number;
  /** Shaders that the warm-up has compiled so far, where the backend has any. */
  readonly compiledShaders: number;
  /** Null until the weights are there. */
  readonly totalShaders: number | null;
  /** Why the next visit will download weights again: no space, no permission. Null while they are kept. */
  readonly cacheFailure: string | null;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hand the request's buffers over instead of copying them. */
  readonly transfer?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Carries the calls of {@link Protocol} to where they are answered. Rejects with InferenceError. */
export type Transport = {
  readonly [M in Method]: (request: Protocol[M]["request"], options?: CallOptions) => Promise<Protocol[M]["reply"]>;
};
