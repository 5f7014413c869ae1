import type { AddressInfo } from "node:net";
import { InferenceError, type Session } from "@nearside/core";
import type { FastifyInstance } from "fastify";
import { createAdminApp } from "./admin/admin-app.ts";
import { chooseBackends } from "./backends/choose-backends.ts";
import { defaultMemoryLimitBytes } from "./backends/memory-limit.ts";
import { type ModelOpener, modelOpener } from "./backends/model-opener.ts";
import type { ServerBackend } from "./backends/open-backend.ts";
import { type BatchingEvent, batchLimits } from "./batching/batching-options.ts";
import { readVersionBatching } from "./batching/version-batching.ts";
import { withBatching } from "./batching/with-batching.ts";
import { defaultCacheDir } from "./convert-once.ts";
import { createGrpcServer, type GrpcServer } from "./grpc/grpc-server.ts";
import { createHttpApp } from "./http-app.ts";
import { cannotListen, listenOn, replaceIdentity } from "./listen-on.ts";
import { CallPhases } from "./monitoring/call-phases.ts";
import type { FinishedCall } from "./monitoring/finished-call.ts";
import { createMetrics, type Metrics } from "./monitoring/metrics.ts";
import type { WrapSession } from "./repository/load-version.ts";
import { readModelConfigFile, watchModelConfigFile } from "./repository/model-config-file.ts";
import { createRepository, type Repository } from "./repository/repository.ts";
import type { RepositoryOptions } from "./repository/repository-options.ts";
import { RequestLog } from "./request-log/request-log.ts";
import { createGuard } from "./security/guard.ts";
import { openSecurity, type Security } from "./security/security.ts";
import type { ServerEvent } from "./server-event.ts";
import type { ServerOptions } from "./server-options.ts";

const defaultMetricsPaths = ["/metrics", "/monitoring/prometheus/metrics"] as const;

/** A server of models over HTTP and gRPC. It keeps no state of any client. */
export interface InferenceServer extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:8501`; null before `listen`. */
  readonly url: string | null;
  /** Where its gRPC services listen, such as `127.0.0.1:8500`; null before `listen`, or without any. */
  readonly grpcAddress: string | null;
  /** Where it is administered, such as `http://127.0.0.1:8502`; null before `listen`, or nowhere. */
  readonly adminUrl: string | null;
  /** What it serves. */
  readonly repository: Repository;
  /**
   * Starts to listen, then loads the models; resolves once each was loaded or has failed, which `onEvent` and the status
   * calls tell. Rejects with `no-backend`, with `invalid-argument` or `not-found` for a file of models that can't be read,
   * and with `unavailable` if a port can't be had.
   */
  listen(): Promise<void>;
  /** Tells who asks that it isn't ready any more, so that clients go elsewhere, and serves on until it is closed. */
  drain(): void;
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
  readonly #metrics: Metrics;
  readonly #phases: CallPhases | undefined;
  readonly #requestLog: RequestLog;
  readonly #security: Security;
  readonly #app: FastifyInstance;
  readonly #admin: FastifyInstance | undefined;
  readonly #grpc: GrpcServer | undefined;
  #opener: ModelOpener | undefined;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #stopWatching: (() => void) | undefined;
  #stopWatchingSecrets: (() => void) | undefined;

  constructor(options: ServerOptions) {
    const { models, modelConfigFile, cacheDir = defaultCacheDir(), corsOrigins = [] } = options;
    const { maxBodyBytes = 64 * 2 ** 20, requestTimeoutMs = 30_000, allowModelControl = false } = options;
    const { metricsPaths = defaultMetricsPaths } = options;
    const { nonFiniteAsNull = false } = options;
    const onEvent = (event: ServerEvent) => {
      this.#metrics.onEvent(event);
      options.onEvent?.(event);
    };
    this.#metrics = createMetrics(() => this.repository);
    const onCall = (call: FinishedCall) => {
      this.#metrics.onCall(call);
      options.onCall?.(this.#requestLog.mark(call));
    };
    if (models && modelConfigFile) {
      throw new InferenceError("invalid-argument", "models: expected either a list or a file of models, got both");
    }
    batchLimits(options.batching); // or what doesn't fit shows when the first model is loaded
    this.#options = options;
    if (options.measurePhases) this.#phases = new CallPhases();
    this.#onEvent = onEvent;
    this.#requestLog = new RequestLog({ ...options, onRecord: this.#metrics.onRecord, onEvent });
    this.repository = createRepository(models ?? [], {
      ...options,
      ...this.#openers(),
      wrapSession: (...session) => this.#wrapSession(...session),
      wrapServing: (session, place) => {
        const logged = this.#requestLog.watch(session, place);
        return this.#phases?.watch(logged, place) ?? logged;
      },
      onModels: (served) => this.#requestLog.configure(served),
      cacheDir,
      onEvent,
    });
    const security = openSecurity(options, onEvent);
    this.#security = security;
    const { requestsPerSecond } = options;
    const guard = createGuard(this.repository, { tokens: () => security.tokens, requestsPerSecond });
    const common = { allowModelControl, onEvent, onCall, phases: this.#phases, guard };
    const http = {
      ...common,
      trustedProxies: options.trustedProxies ?? [],
      maxBodyBytes,
      requestTimeoutMs,
      nonFiniteAsNull,
      metrics: this.#metrics,
      metricsPaths,
      tls: security.rest,
    };
    this.#app = createHttpApp(this.repository, { ...http, corsOrigins });
    // Its token says who calls; so probes, which have no certificate, find it, too.
    const tls = security.rest && { ...security.rest, clientCa: undefined };
    if (options.admin) this.#admin = createAdminApp(this.repository, options.admin.tokenFile, { ...http, tls });
    if (options.grpcPort !== undefined || options.grpcSocketPath !== undefined) {
      const { tensorContent = false, maxBodyBytes: maxMessageBytes } = options;
      this.#grpc = createGrpcServer(this.repository, { ...common, tensorContent, maxMessageBytes, tls: security.grpc });
    }
  }

  get url(): string | null {
    return this.#urlOf(this.#app);
  }

  get adminUrl(): string | null {
    return this.#admin ? this.#urlOf(this.#admin) : null;
  }

  get grpcAddress(): string | null {
    return this.#grpc?.address ?? null;
  }

  listen(): Promise<void> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  drain(): void {
    this.repository.drain();
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
    const { host = "0.0.0.0", restPort: port = 8501, grpcPort, grpcSocketPath, openModel, admin } = this.#options;
    const file = this.#options.modelConfigFile;
    const config = file && (await readModelConfigFile(file.path));
    if (!openModel) this.#opener = await this.#createOpener();
    await listenOn(this.#app, host, port);
    if (this.#admin && admin) await listenOn(this.#admin, admin.host ?? "127.0.0.1", admin.port);
    if (grpcPort !== undefined) {
      await this.#grpc?.listen(host, grpcPort).catch((cause: unknown) => {
        throw cannotListen(`${host}:${grpcPort}`, cause);
      });
    }
    if (grpcSocketPath !== undefined) {
      await this.#grpc?.listenOnSocket(grpcSocketPath).catch((cause: unknown) => {
        throw cannotListen(grpcSocketPath, cause);
      });
    }
    this.#stopWatchingSecrets = this.#security.watch({
      rest: (identity) => {
        replaceIdentity(this.#app, identity);
        if (this.#admin) replaceIdentity(this.#admin, { ...identity, clientCa: undefined });
      },
      grpc: (identity) => this.#grpc?.replaceIdentity(identity),
    });
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
    await Promise.all([this.#app.close(), this.#admin?.close(), this.#grpc?.close()]);
    await this.repository.close();
    await this.#requestLog.close();
    await this.#listening?.catch(() => {}); // who called listen has the error
    this.#stopWatching?.();
    this.#stopWatchingSecrets?.();
  }

  #urlOf(app: FastifyInstance): string | null {
    const address = app.server.address() as AddressInfo | null; // a string only for a pipe
    if (address === null) return null;
    const isAny = address.address === "0.0.0.0" || address.address === "::";
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `${this.#security.rest ? "https" : "http"}://${isAny ? "localhost" : host}:${address.port}`;
  }

  /** What opens models: the option, or the opener that `listen` makes before any model is loaded. */
  #openers(): Pick<RepositoryOptions, "openModel" | "openUnconverted"> {
    const { openModel } = this.#options;
    if (openModel) return { openModel };
    const opener = () => this.#opener as ModelOpener; // as it was said
    return {
      openModel: (...model) => opener().openModel(...model),
      openUnconverted: (...model) => opener().openUnconverted(...model),
    };
  }

  async #createOpener(): Promise<ModelOpener> {
    const { backend = "auto", instanceCount = 1, memoryLimitBytes = defaultMemoryLimitBytes() } = this.#options;
    const onEvent = this.#onEvent;
    const choice = backend === "auto" ? await chooseBackends() : { backends: [backend], reason: "as asked for" };
    onEvent({ type: "backend", backend: choice.backends[0] as ServerBackend, reason: choice.reason }); // there is one
    return modelOpener({ backends: choice.backends, instanceCount, memoryLimitBytes, onEvent });
  }

  /** Puts batching around a session where that is asked for, and around both what the options say. */
  async #wrapSession(...[session, place]: Parameters<WrapSession>): Promise<Session> {
    const { wrapSession = (each) => each, instanceCount = 1, onBatching = () => {} } = this.#options;
    const ofVersion = this.#options.batchingPerVersion ? await readVersionBatching(place.path) : undefined;
    const batching = ofVersion ?? this.#options.batching;
    const watch = this.#metrics.watch(place, session.keepsState ? 1 : instanceCount);
    const counted = watch.executions(session);
    if (!batching) return wrapSession(watch.runs(counted), place);
    // More batches at a time than there are processes would only be smaller ones.
    const numBatchThreads = Math.min(batching.numBatchThreads ?? instanceCount, instanceCount);
    const onQueue = this.#phases && { onEnqueue: this.#phases.onEnqueue };
    const onEvent = (event: BatchingEvent) => {
      watch.onBatching(event);
      onBatching(place.model, event);
    };
    return wrapSession(watch.runs(withBatching(counted, { ...batching, numBatchThreads, ...onQueue, onEvent })), place);
  }
}
