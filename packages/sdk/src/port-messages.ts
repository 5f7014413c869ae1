import type { Envelope, Method, Progress, Protocol } from "@nearside/core";

/** What a page tells its worker. Calls are numbered. */
export type ToWorker =
  | { readonly id: number; readonly method: Method; readonly request: Protocol[Method]["request"] }
  | { readonly cancel: number }
  /** To the wasm worker, once: TensorFlow.js's binary, unless it is to compile that itself. */
  | { readonly wasm: WebAssembly.Module | undefined };

/** What a worker tells its page. */
export type FromWorker =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly envelope: Envelope<Protocol[Method]["reply"]> }
  /** First of all: the lock that it holds while it lives, where there are locks. */
  | { readonly lifeLock: string | undefined };
