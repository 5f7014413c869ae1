import type { AddressInfo } from "node:net";
import { InferenceError, toInferenceError } from "@nearside/core";
import { type LoadedBackend, openLocalSession } from "@nearside/runtime";
import { defaultCacheDir } from "./convert-once.ts";
import { createGrpcServer, type GrpcServer } from "./grpc/grpc-server.ts";
import { createHttpApp } from "./http-app.ts";
import { openBackend, type ServerBackend } from "./process-backend.ts";
import type { OpenModel, WrapSession } from "./repository/load-version.ts";
import type { ModelConfig } from "./repository/model-config.ts";
import { readModelConfigFile, watchModelConfigFile } from "./repository/model-config-file.ts";
import { createRepository, type Repository, type RepositoryOptions } from "./repository/repository.ts";
import type { ServerEvent } from "./server-event.ts";

/** What a server serves, where, and to whom. */
export interface ServerOptions extends Omit<RepositoryOptions, "openModel" | "cacheDir" | "onEvent"> {
  /** The models to serve, where no file lists them. */
  readonly models?: readonly ModelConfig[];
  /** TensorFlow Serving's `models.config`, which lists the models; read again every `pollMs`, if that is above 0. */
  readonly modelConfigFile?: { readonly path: string; readonly pollMs?: number };
  /** Where models run (default `wasm`). */
  readonly backend?: ServerBackend;
  /** The address to listen on; by default all of them, as TensorFlow Serving does, which containers need. */
  readonly host?: string;
  /** The port of the REST APIs (default 8501); 0 takes a free one. */
  readonly restPort?: number;
  /** The port of the gRPC APIs (default none); 0 takes a free one. */
  readonly grpcPort?: number;
  /** The origins whose pages may call, such as `https://example.com`, or `*` for all; none by default. */
  readonly corsOrigins?: readonly string[];
  /** The largest body of a request, decompressed (default 64 MiB); a larger one is answered with 413. */
  readonly maxBodyBytes?: number;
  /** How long a request over HTTP may take (default 30 s); it is then answered with 504. */
  readonly requestTimeoutMs?: number;
  /** Whether clients of the Open Inference Protocol may load and unload models (default false). */
  readonly allowModelControl?: boolean;
  /** Whether gRPC answers have numbers as raw bytes (`tensor_content`), which is smaller and faster (default false). */
  readonly tensorContent?: boolean;
  /** Where conversions of SavedModels are kept; `~/.cache/nearside` by default. */
  readonly cacheDir?: string;
  /** Makes a session of a model's files; by default one in this process, on `backend`. */
  readonly openModel?: OpenModel;
  /** Puts a session around each that was opened, as batching does. */
  readonly wrapSession?: WrapSession;
  readonly onEvent?: (event: ServerEvent) => void;
}

/** A server of models over HTTP and gRPC. It keeps no state of any client. */
export interface InferenceServer extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:8501`; null before `listen`. */
  readonly url: string | null;
  /** Where its gRPC services listen, such as `127.0.0.1:8500`; null before `listen`, or without any. */
  readonly grpcAddress: string | null;
  /** What it serves. */
  readonly repository: Repository;
  /**
   * Starts to listen, then loads the models; resolves once each was loaded or has failed, which `onEvent` and the status
   * calls tell. Rejects with `no-backend`, with `invalid-argument` or `not-found` for a file of models that can't be read,
   * and with `unavailable` if a port can't be had.
   */
  listen(): Promise<void>;
  /** Stops accepting requests, finishes those in flight, and frees the models. Closing twice is the same as once. */
  close(): Promise<void>;
}

/** A server of these models; nothing happens before `listen`. Throws `invalid-argument` for options that don't fit. */
export function createServer(options: ServerOptions): InferenceServer {
  return new ModelServer(options);
}

class ModelServer implements InferenceServer {
  readonly repository: Repository;
  readonly #options: ServerOptions;
  readonly #onEvent: (event: ServerEvent) => void;
  readonly #app: ReturnType<typeof createHttpApp>;
  readonly #grpc: GrpcServer | undefined;
  #backend: LoadedBackend | undefined;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(options: ServerOptions) {
    const { models, modelConfigFile, cacheDir = defaultCacheDir(), corsOrigins = [] } = options;
    const { maxBodyBytes = 64 * 2 ** 20, requestTimeoutMs = 30_000, allowModelControl = false } = options;
    const { openModel = (...model) => this.#openModel(...model), onEvent = () => {} } = options;
    if (models && modelConfigFile) {
      throw new InferenceError("invalid-argument", "models: expected either a list or a file of models, got both");
    }
    this.#options = options;
    this.#onEvent = onEvent;
    this.repository = createRepository(models ?? [], { ...options, openModel, cacheDir, onEvent });
    const http = { corsOrigins, maxBodyBytes, requestTimeoutMs, allowModelControl, onEvent };
    this.#app = createHttpApp(this.repository, http);
    if (options.grpcPort !== undefined) {
      this.#grpc = createGrpcServer(this.repository, { ...options, allowModelControl, onEvent });
    }
  }

  get url(): string | null {
    const address = this.#app.server.address() as AddressInfo | null; // a string only for a pipe
    if (address === null) return null;
    const isAny = address.address === "0.0.0.0" || address.address === "::";
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${isAny ? "localhost" : host}:${address.port}`;
  }

  get grpcAddress(): string | null {
    return this.#grpc?.address ?? null;
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
    const { backend = "wasm", host = "0.0.0.0", restPort: port = 8501, grpcPort, openModel } = this.#options;
    const file = this.#options.modelConfigFile;
    const config = file && (await readModelConfigFile(file.path));
    if (!openModel) this.#backend = await openBackend(backend);
    await this.#app.listen({ host, port }).catch((cause: unknown) => {
      throw cannotListen(`${host}:${port}`, cause);
    });
    if (grpcPort !== undefined) {
      await this.#grpc?.listen(host, grpcPort).catch((cause: unknown) => {
        throw cannotListen(`${host}:${grpcPort}`, cause);
      });
    }
    await this.repository.load(config?.models);
    if (!file || !config || !file.pollMs || this.#closing) return;
    this.#stopWatching = watchModelConfigFile(file.path, {
      pollMs: file.pollMs,
      known: config,
      onChange: (models) => this.repository.reload(models),
      onError: (error) => this.#onEvent({ type: "bad-config", error }),
    });
  }

  async #close(): Promise<void> {
    this.#stopWatching?.();
    await Promise.all([this.#app.close(), this.#grpc?.close()]);
    await this.repository.close();
    await this.#listening?.catch(() => {}); // who called listen has the error
    this.#stopWatching?.();
    await this.#backend?.close();
  }

  #openModel(...[model, folder, signal]: Parameters<OpenModel>): ReturnType<OpenModel> {
    const backend = this.#backend as LoadedBackend; // models are loaded after it
    return openLocalSession(model, folder, backend, { signal });
  }
}

function cannotListen(address: string, cause: unknown): InferenceError {
  return new InferenceError("unavailable", `cannot listen on ${address}: ${toInferenceError(cause).message}`, {
    cause,
  });
}
