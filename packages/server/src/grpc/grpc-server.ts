import { Server, ServerCredentials } from "@grpc/grpc-js";
import { InferenceError } from "@nearside/core";
import type { OnCall } from "../monitoring/finished-call.ts";
import { observeGrpc } from "../monitoring/observe-grpc.ts";
import type { Repository } from "../repository/repository.ts";
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
}

/** The gRPC side of a server. */
export interface GrpcServer {
  /** Where it listens, such as `127.0.0.1:8500`; null while it doesn't. */
  readonly address: string | null;
  listen(host: string, port: number): Promise<void>;
  /** Stops accepting calls and waits for those in flight. */
  close(): Promise<void>;
}

/** As large as TensorFlow Serving takes and sends them: a length in protocol buffers is an int32. */
const maxMessageBytes = 2 ** 31 - 1;

/** How long a stream that its client leaves open may keep the server from closing. */
const streamGraceMs = 5000;

/** The gRPC services over a repository: TensorFlow Serving's, the Open Inference Protocol's, health and reflection. */
export function createGrpcServer(
  repository: Repository,
  { allowModelControl, tensorContent = false, onEvent, onCall }: GrpcOptions,
): GrpcServer {
  const closing = new AbortController();
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
    interceptors: [observeGrpc(onCall)],
  });
  const add = <S extends ServiceName>(name: S, handlers: Handlers<S>) => {
    const onFault = (path: string, error: unknown) => onEvent({ type: "fault", path, error });
    const { definition, implementation } = toService(name, handlers, onFault);
    server.addService(definition, implementation);
  };
  const reflection = reflectionService();
  add("tensorflow.serving.PredictionService", predictionService(repository, { tensorContent }));
  add("tensorflow.serving.ModelService", modelService(repository));
  add("inference.GRPCInferenceService", inferenceService(repository, { allowModelControl }));
  add("grpc.health.v1.Health", healthService(repository, closing.signal));
  add("grpc.reflection.v1.ServerReflection", reflection);
  add("grpc.reflection.v1alpha.ServerReflection", reflection);
  let address: string | null = null;
  return {
    get address() {
      return address;
    },
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const name = host.includes(":") ? `[${host}]` : host;
        server.bindAsync(`${name}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
          if (error) return reject(error);
          if (closing.signal.aborted) return reject(new InferenceError("closed", "the server is closed"));
          address = `${name === "0.0.0.0" || name === "[::]" ? "localhost" : name}:${bound}`;
          resolve();
        });
      }),
    async close() {
      closing.abort();
      address = null;
      const force = setTimeout(() => server.forceShutdown(), streamGraceMs);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(force);
    },
  };
}
