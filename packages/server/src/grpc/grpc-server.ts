import { stat, unlink } from "node:fs/promises";
import { type Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { InferenceError } from "@nearside/core";
import type { CallPhases } from "../monitoring/call-phases.ts";
import type { OnCall } from "../monitoring/finished-call.ts";
import { observeGrpc } from "../monitoring/observe-grpc.ts";
import type { Repository } from "../repository/repository.ts";
import { ReplaceableCredentials } from "../security/grpc-credentials.ts";
import type { Guard } from "../security/guard.ts";
import { guardGrpc } from "../security/guard-grpc.ts";
import type { TlsIdentity } from "../security/tls.ts";
import type { ServerEvent } from "../server-event.ts";
import { healthService } from "./health-service.ts";
import { inferenceService } from "./inference-service.ts";
import { modelService } from "./model-service.ts";
import { predictionService } from "./prediction-service.ts";
import { reflectionService } from "./reflection-service.ts";
import { type Handlers, type ServiceName, toService } from "./service.ts";

/** What the gRPC side of a server allows, and who is told of faults. */
export interface GrpcOptions {
  /** Whether clients of the Open Inference Protocol may load and unload models. */
  readonly allowModelControl: boolean;
  /** Whether answers of TensorFlow Serving's services have numbers as raw bytes (default false). */
  readonly tensorContent?: boolean;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onCall: OnCall;
  /** What measures the phases of calls; nothing by default. */
  readonly phases?: CallPhases | undefined;
  readonly guard: Guard;
  /** The largest message that is taken (default what the protocol allows). */
  readonly maxMessageBytes?: number | undefined;
  readonly tls?: TlsIdentity | undefined;
}

/** The gRPC side of a server. */
export interface GrpcServer {
  /** Where it listens, such as `127.0.0.1:8500`; null while it doesn't. */
  readonly address: string | null;
  /** Gives new connections this identity. */
  replaceIdentity(identity: TlsIdentity): void;
  listen(host: string, port: number): Promise<void>;
  /** Listens on a Unix socket as well; one that is left over at this path goes first. */
  listenOnSocket(path: string): Promise<void>;
  /** Stops accepting calls and waits for those in flight. */
  close(): Promise<void>;
}

/** As large as TensorFlow Serving takes and sends them: a length in protocol buffers is an int32. */
const largestMessageBytes = 2 ** 31 - 1;

/** How long a stream or a connection that its client leaves open may keep the server from closing. */
const streamGraceMs = 5000;

/** The gRPC services over a repository: TensorFlow Serving's, the Open Inference Protocol's, health and reflection. */
export function createGrpcServer(
  repository: Repository,
  { allowModelControl, tensorContent = false, onEvent, onCall, guard, ...options }: GrpcOptions,
): GrpcServer {
  const closing = new AbortController();
  const { interceptor, clientOf } = guardGrpc(guard);
  const secure = options.tls && new ReplaceableCredentials(options.tls);
  const server = new Server({
    "grpc.max_receive_message_length": options.maxMessageBytes ?? largestMessageBytes,
    "grpc.max_send_message_length": largestMessageBytes,
    interceptors: [observeGrpc({ onCall, clientOf, phases: options.phases }), interceptor],
  });
  const add = <S extends ServiceName>(name: S, handlersOf: (repository: Repository) => Handlers<S>) => {
    const known = new WeakMap<Repository, Handlers<S>>();
    const handlersFor = (metadata: Metadata) => {
      const permitted = guard.repositoryFor(clientOf(metadata));
      const handlers = known.get(permitted) ?? handlersOf(permitted);
      known.set(permitted, handlers);
      return handlers;
    };
    const onFault = (path: string, error: unknown) => onEvent({ type: "fault", path, error });
    const { definition, implementation } = toService(name, handlersFor, onFault);
    server.addService(definition, implementation);
  };
  const reflection = reflectionService();
  add("tensorflow.serving.PredictionService", (permitted) => predictionService(permitted, { tensorContent }));
  add("tensorflow.serving.ModelService", (permitted) => modelService(permitted, { allowModelControl }));
  add("inference.GRPCInferenceService", (permitted) => inferenceService(permitted, { allowModelControl }));
  add("grpc.health.v1.Health", () => healthService(repository, closing.signal));
  add("grpc.reflection.v1.ServerReflection", () => reflection);
  add("grpc.reflection.v1alpha.ServerReflection", () => reflection);
  let address: string | null = null;
  const bind = (place: string) =>
    new Promise<number>((resolve, reject) => {
      server.bindAsync(place, secure ?? ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else if (closing.signal.aborted) reject(new InferenceError("closed", "the server is closed"));
        else resolve(port);
      });
    });
  return {
    get address() {
      return address;
    },
    replaceIdentity: (identity) => secure?.replace(identity),
    async listen(host, port) {
      const name = host.includes(":") ? `[${host}]` : host;
      const bound = await bind(`${name}:${port}`);
      address = `${name === "0.0.0.0" || name === "[::]" ? "localhost" : name}:${bound}`;
    },
    async listenOnSocket(path) {
      const isSocket = (await stat(path).catch(() => undefined))?.isSocket() ?? false; // else nothing is there
      if (isSocket) await unlink(path);
      await bind(`unix:${path}`);
    },
    async close() {
      closing.abort();
      address = null;
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => {
          server.forceShutdown();
          resolve(); // a client that doesn't close its side of a connection is not waited for
        }, streamGraceMs);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
}
