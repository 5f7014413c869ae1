import type { AdminOptions } from "./admin/admin-app.ts";
import type { ServerBackend } from "./backends/open-backend.ts";
import type { BatchingEvent, BatchingOptions } from "./batching/batching-options.ts";
import type { OnCall } from "./monitoring/finished-call.ts";
import type { OpenModel, WrapSession } from "./repository/load-version.ts";
import type { ModelConfig } from "./repository/model-config.ts";
import type { RepositoryOptions } from "./repository/repository-options.ts";
import type { SecurityOptions } from "./security/security.ts";
import type { ServerEvent } from "./server-event.ts";

/** What a server serves, where, and to whom. */
export interface ServerOptions
  extends Omit<
      RepositoryOptions,
      "openModel" | "openUnconverted" | "wrapServing" | "onModels" | "cacheDir" | "onEvent"
    >,
    SecurityOptions {
  /** The models to serve, where no file lists them. */
  readonly models?: readonly ModelConfig[];
  /** TensorFlow Serving's `models.config`, which lists the models; read again every `pollMs`, if that is above 0. */
  readonly modelConfigFile?: { readonly path: string; readonly pollMs?: number };
  /** Where models run, each in a process of its own; by default (`auto`) on the best backend that computes correctly. */
  readonly backend?: ServerBackend | "auto";
  /** How many processes run each model (default 1). */
  readonly instanceCount?: number;
  /** What each of these processes may hold, in bytes; by default three quarters of the memory there is. */
  readonly memoryLimitBytes?: number;
  /** Gathers runs into batches, by these options; they run one by one where it is undefined. */
  readonly batching?: BatchingOptions;
  /** A version with a `batching_params.pbtxt` in its folder is batched by that in place of `batching` (default false). */
  readonly batchingPerVersion?: boolean;
  /** Told of batches and queues. */
  readonly onBatching?: (model: string, event: BatchingEvent) => void;
  /** The address to listen on; by default all of them, as TensorFlow Serving does, which containers need. */
  readonly host?: string;
  /** The port of the REST APIs (default 8501); 0 takes a free one. */
  readonly restPort?: number;
  /** The port of the gRPC APIs (default none); 0 takes a free one. */
  readonly grpcPort?: number;
  /** A Unix socket for the gRPC APIs, beside the port or in its place; none by default. */
  readonly grpcSocketPath?: string;
  /** The origins whose pages may call, such as `https://example.com`, or `*` for all; none by default. */
  readonly corsOrigins?: readonly string[];
  /** The largest body of a request, decompressed (default 64 MiB, of gRPC 2 GiB); a larger one is answered with 413. */
  readonly maxBodyBytes?: number;
  /** How long a request over HTTP may take (default 30 s, 0 for any time); it is then answered with 504. */
  readonly requestTimeoutMs?: number;
  /** Whether clients of the Open Inference Protocol may load and unload models (default false). */
  readonly allowModelControl?: boolean;
  /** Whether gRPC answers have numbers as raw bytes (`tensor_content`), which is smaller and faster (default false). */
  readonly tensorContent?: boolean;
  /** Whether JSON answers have null for NaN and infinities, whose bare words only tolerant parsers read (default false). */
  readonly nonFiniteAsNull?: boolean;
  /** Where conversions of SavedModels and models from addresses are kept; `~/.cache/nearside` by default. */
  readonly cacheDir?: string;
  /** Makes a session of a model's files; by default in processes of its own, on `backend`. */
  readonly openModel?: OpenModel;
  /** Puts a session around each that was opened, as batching does. */
  readonly wrapSession?: WrapSession;
  /** Where it is administered; nowhere by default. */
  readonly admin?: AdminOptions;
  readonly onEvent?: (event: ServerEvent) => void;
  /** Whether it is measured how long each request waited and ran, for traces (default false). */
  readonly measurePhases?: boolean;
  /** Told of each request once it was answered. */
  readonly onCall?: OnCall;
  /** Where the REST port answers with Prometheus' metrics (default `/metrics` and TensorFlow Serving's path). */
  readonly metricsPaths?: readonly string[];
}
