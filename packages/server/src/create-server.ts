import type { AddressInfo } from "node:net";
import { InferenceError } from "@nearside/core";
import { type LoadedBackend, openLocalSession } from "@nearside/runtime";
import { defaultCacheDir } from "./convert-once.ts";
import { createHttpApp } from "./http-app.ts";
import { openBackend, type ServerBackend } from "./process-backend.ts";
import { createRepository, type ModelConfig, type OpenModel, type Repository } from "./repository.ts";
import type { ServerEvent } from "./server-event.ts";

/** What a server serves, where, and to whom. */
export interface ServerOptions {
  readonly models: readonly ModelConfig[];
  /** Where models run (default `wasm`). */
  readonly backend?: ServerBackend;
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
  /** Makes a session of a model's files; by default one in this process, on `backend`. */
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
  #backend: LoadedBackend | undefined;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    const { models, cacheDir = defaultCacheDir(), corsOrigins = [], maxBodyBytes = 64 * 2 ** 20 } = options;
    const { openModel = (...model) => this.#openModel(...model), onEvent = () => {} } = options;
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
    const { backend = "wasm", host = "0.0.0.0", restPort: port = 8501, openModel } = this.#options;
    if (!openModel) this.#backend = await openBackend(backend);
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
    await this.#backend?.close();
  }

  #openModel(...[model, folder, signal]: Parameters<OpenModel>): ReturnType<OpenModel> {
    const backend = this.#backend as LoadedBackend; // models are loaded after it
    return openLocalSession(model, folder, backend, { signal });
  }
}
