import { once } from "node:events";
import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  ServiceError,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import { Metadata } from "@grpc/grpc-js";
import { httpStatuses, InferenceError, toInferenceError } from "@nearside/core";
import { grpcStatuses } from "../grpc-statuses.ts";
import { decodeProto, encodeProto, type Proto, type ProtoName } from "../protobuf/codec.ts";
import type { Draft } from "../protobuf/encode.ts";
import { services } from "../protobuf/protos.ts";
import { retryAfterSeconds } from "../route.ts";

/** The full name of a service. */
export type ServiceName = keyof typeof services;

/** The answers to a service's methods. What they throw becomes the status of the call. */
export type Handlers<S extends ServiceName> = {
  readonly [M in keyof (typeof services)[S]]: HandlerOf<(typeof services)[S][M]>;
};

type HandlerOf<Method> = Method extends readonly [infer I extends ProtoName, infer O extends ProtoName, infer Streams]
  ? Streams extends "stream"
    ? (requests: AsyncIterable<Proto<I>>, signal: AbortSignal) => AsyncIterable<Draft<Proto<O>>>
    : (request: Proto<I>, signal: AbortSignal) => AsyncIterable<Draft<Proto<O>>>
  : Method extends readonly [infer I extends ProtoName, infer O extends ProtoName]
    ? (request: Proto<I>, signal: AbortSignal) => Promise<Draft<Proto<O>>>
    : never;

/** Who is told of faults: errors that aren't the client's. */
export type OnFault = (path: string, error: unknown) => void;

/**
 * A service as the gRPC library takes it: how its messages are read and written, and what answers its methods, which may
 * depend on who calls, as the metadata tells.
 */
export function toService<S extends ServiceName>(
  name: S,
  handlersFor: (metadata: Metadata) => Handlers<S>,
  onFault: OnFault,
): { readonly definition: ServiceDefinition; readonly implementation: Record<string, UntypedHandleCall> } {
  const methods = Object.entries(services[name]) as readonly [string, readonly [ProtoName, ProtoName, string?]][];
  const definition: Record<string, MethodDefinition<unknown, unknown>> = {};
  const implementation: Record<string, UntypedHandleCall> = {};
  for (const [method, [input, output, streams]] of methods) {
    const path = `/${name}/${method}`;
    const decode = (message: ProtoName) => (bytes: Buffer) => decodeProto(message, bytes, path);
    const encode = (message: ProtoName) => (value: unknown) => Buffer.from(encodeProto(message, value as object));
    definition[method] = {
      path,
      requestStream: streams === "stream",
      responseStream: streams !== undefined,
      requestSerialize: encode(input),
      requestDeserialize: decode(input),
      responseSerialize: encode(output),
      responseDeserialize: decode(output),
    };
    // Typed by the table that is walked here.
    const find = (metadata: Metadata) => (handlersFor(metadata) as Readonly<Record<string, unknown>>)[method];
    const fail = (error: unknown) => toServiceError(error, path, onFault);
    implementation[method] = streams
      ? streaming(find as Find<Streaming>, streams, fail)
      : unary(find as Find<Unary>, fail);
  }
  return { definition, implementation };
}

type Unary = (request: unknown, signal: AbortSignal) => Promise<unknown>;
type Streaming = (requests: unknown, signal: AbortSignal) => AsyncIterable<unknown>;
type Find<Handler> = (metadata: Metadata) => Handler;
type Fail = (error: unknown) => Partial<ServiceError>;

function unary(find: Find<Unary>, fail: Fail): handleUnaryCall<unknown, unknown> {
  return (call, reply) => {
    // The handler may throw before its promise is there.
    Promise.resolve()
      .then(() => find(call.metadata)(call.request, signalOf(call)))
      .then((response) => reply(null, response))
      .catch((error: unknown) => reply(fail(error)));
  };
}

function streaming(find: Find<Streaming>, streams: string, fail: Fail): UntypedHandleCall {
  async function answer(call: Duplex | Writable, requests: unknown): Promise<void> {
    const signal = signalOf(call);
    try {
      for await (const response of find(call.metadata)(requests, signal)) {
        if (signal.aborted) return;
        if (!call.write(response)) await once(call, "drain", { signal });
      }
      call.end();
    } catch (error) {
      if (!signal.aborted) call.emit("error", fail(error)); // else nobody is there to be told
    }
  }
  // Iterating must not destroy a stream at its end: the answer's end, and the status, are still to be sent.
  const both: handleBidiStreamingCall<unknown, unknown> = (call) => {
    void answer(call, call.iterator({ destroyOnReturn: false }));
  };
  const ours: handleServerStreamingCall<unknown, unknown> = (call) => {
    void answer(call, call.request);
  };
  return streams === "stream" ? both : ours;
}

type Duplex = ServerDuplexStream<unknown, unknown>;
type Writable = ServerWritableStream<unknown, unknown>;

/** Aborted when the client cancels the call, or its deadline is over. */
function signalOf(
  call: Pick<ServerUnaryCall<unknown, unknown>, "getDeadline" | "cancelled"> & NodeJS.EventEmitter,
): AbortSignal {
  const controller = new AbortController();
  const deadlineMs = Number(call.getDeadline()); // a date, or Infinity
  const abort = () => {
    const isLate = Date.now() >= deadlineMs;
    controller.abort(
      isLate
        ? new InferenceError("deadline-exceeded", "the call's deadline is over")
        : new InferenceError("cancelled", "the client cancelled the call"),
    );
  };
  if (call.cancelled) abort();
  else call.once("cancelled", abort);
  return controller.signal;
}

/** A status travels in a header, of which clients take 8 KiB. */
const maxDetailsLength = 4000;

/** What a client is told of an error. */
function toServiceError(thrown: unknown, path: string, onFault: OnFault): Partial<ServiceError> {
  const { code, message } = toInferenceError(thrown);
  if (httpStatuses[code] === 500) onFault(path, thrown);
  const metadata = new Metadata();
  // What HTTP tells by Retry-After; clients with a retry policy wait as long.
  if (code === "unavailable") metadata.set("grpc-retry-pushback-ms", String(retryAfterSeconds * 1000));
  return { code: grpcStatuses[code], details: message.slice(0, maxDetailsLength), metadata };
}
