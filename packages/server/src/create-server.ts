import type { AddressInfo } from "node:net";
import { InferenceError } from "@nearside/core";
import { chooseBackends } from "./backends/choose-backends.ts";
import { defaultMemoryLimitBytes } from "./backends/memory-limit.ts";
import { modelOpener } from "./backends/model-opener.ts";
import type { ServerBackend } from "./backends/open-backend.ts";
import { type BatchingEvent, type BatchingOptions, batchLimits } from "./batching/batching-options.ts";
import { withBatching } from "./batching/with-batching.ts";
import { defaultCacheDir } from "./convert-once.ts";
import { createHttpApp } from "./http-app.ts";
import { createRepository, type ModelConfig, type OpenModel, type Repository } from "./repository.ts";
import type { ServerEvent } from "./server-event.ts";

/** What a server serves, where, and to whom. */
export interface ServerOptions {
  readonly models: readonly ModelConfig[];
  /** Where models run, each in a process of its own; by default (`auto`) on the best backend that computes correctly. */
  readonly backend?: ServerBackend | "auto";
  /** How many processes run each model (default 1). */
  readonly instanceCount?: number;
  /** What each of these processes may hold, in bytes; by default three quarters of the memory there is. */
  readonly memoryLimitBytes?: number;
  /** Gathers runs into batches, by these options; they run one by one where it is undefined. */
  readonly batching?: BatchingOptions;
  /** Told of batches and queues, for metrics. */
  readonly onBatching?: (model: string, event: BatchingEvent) => void;
  /** The address to listen on; by default all of them, as TensorFlow Serving does, which containers need. */
  readonly host?: string;
  /** The port of the REST APIs (default 8501); 0 takes a free one. */
  readonly restPort?: number;
  /** The origins whose pages may call, such as `https://example.com`, or `*` for all; none by default. */
  readonly corsOrigins?: readonly string[];
  /** The largest body of a request, decompressed (default 64 MiB); a larger one is answered with 413. */
  readonly maxBodyBytes?: number;
  /** Where conversions of SavedModels are kept; `~/.cache/nearside` by default. */
  readonly cacheDir?: string;
  /** Makes a session of a model's files; by default in processes of its own, on `backend`. */
  readonly openModel?: OpenModel;
  readonly onEvent?: (event: ServerEvent) => void;
}

/** A server of models over HTTP. It keeps no state of any client. */
export interface InferenceServer extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:8501`; null before `listen`. */
  readonly url: string | null;
  /**
   * Starts to listen, then loads the models; resolves once each is available or has failed, which `onEvent` and the
   * status calls tell. Rejects with `no-backend`, and with `unavailable` if the port can't be had.
   */
  listen(): Promise<void>;
  /** Stops accepting requests, finishes those in flight, and frees the models. Closing twice is the same as once. */
  close(): Promise<void>;
}

/** A server of these models; nothing happens before `listen`. Throws `invalid-argument` for options that don't fit. */
export function createServer(options: ServerOptions): InferenceServer {
  return new HttpInferenceServer(options);
}

class HttpInferenceServer implements InferenceServer {
  readonly #options: ServerOptions;
  readonly #repository: Repository;
  readonly #app: ReturnType<typeof createHttpApp>;
  #openInProcesses: OpenModel | undefined;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const { models, cacheDir = defaultCacheDir(), corsOrigins = [], maxBodyBytes = 64 * 2 ** 20 } = options;
    const { openModel = (...model) => this.#openModel(...model), onEvent = () => {} } = options;
    batchLimits(options.batching); // or what doesn't fit shows when the first model is loaded
    this.#options = options;
    this.#repository = createRepository(models, { openModel, cacheDir, onEvent });
    this.#app = createHttpApp(this.#repository, { corsOrigins, maxBodyBytes, onEvent });
  }

  get url(): string | null {
    const address = this.#app.server.address() as AddressInfo | null; // a string only for a pipe
    if (address === null) return null;
    const isAny = address.address === "0.0.0.0" || address.address === "::";
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${isAny ? "localhost" : host}:${address.port}`;
  }

  listen(): Promise<void> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(): Promise<void> {
    if (this.#closing) throw new InferenceError("closed", "the server is closed; create another");
    const { host = "0.0.0.0", restPort: port = 8501, openModel } = this.#options;
    if (!openModel) this.#openInProcesses = await this.#createOpener();
    await this.#app.listen({ host, port }).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new InferenceError("unavailable", `cannot listen on ${host}:${port}: ${reason}`, { cause });
    });
    await this.#repository.load();
  }

  async #close(): Promise<void> {
    await this.#app.close();
    await this.#repository.close();
    await this.#listening?.catch(() => {}); // who called listen has the error
  }

  #openModel(...model: Parameters<OpenModel>): ReturnType<OpenModel> {
    return (this.#openInProcesses as OpenModel)(...model); // models are loaded after it was made
  }

  async #createOpener(): Promise<OpenModel> {
    const { backend = "auto", instanceCount = 1, batching, onBatching = () => {}, onEvent = () => {} } = this.#options;
    const { memoryLimitBytes = defaultMemoryLimitBytes() } = this.#options;
    const choice = backend === "auto" ? await chooseBackends() : { backends: [backend], reason: "as asked for" };
    onEvent({ type: "backend", backend: choice.backends[0] as ServerBackend, reason: choice.reason }); // there is one
    const open = modelOpener({ backends: choice.backends, instanceCount, memoryLimitBytes, onEvent });
    if (!batching) return open;
    // More batches at a time than there are processes would only be smaller ones.
    const numBatchThreads = Math.min(batching.numBatchThreads ?? instanceCount, instanceCount);
    return async (model, folder, signal) =>
      withBatching(await open(model, folder, signal), {
        ...batching,
        numBatchThreads,
        onEvent: (event) => onBatching(model, event),
      });
  }
}
