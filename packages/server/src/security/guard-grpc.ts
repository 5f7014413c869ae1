import { Metadata, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { toInferenceError } from "@nearside/core";
import { grpcStatuses } from "../grpc-statuses.ts";
import type { Client } from "./access-tokens.ts";
import { type Guard, isTooMany, nobody } from "./guard.ts";

/** What probes ask, who have no tokens. */
const openMethods = /^\/(?:grpc\.health\.v1\.Health\/|inference\.GRPCInferenceService\/Server(?:Live|Ready)$)/;

/** gRPC's code for too many requests. */
const resourceExhausted = 8;

/** Lets gRPC calls in before their messages are read, and tells by its metadata whose each is. */
export function guardGrpc(guard: Guard): {
  readonly interceptor: ServerInterceptor;
  readonly clientOf: (metadata: Metadata) => Client;
} {
  const clients = new WeakMap<Metadata, Client>();
  const interceptor: ServerInterceptor = ({ path }, call) => {
    if (openMethods.test(path)) return new ServerInterceptingCall(call);
    const address = call.getConnectionInfo().remoteAddress ?? "";
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            guard.admit(metadata.get("authorization")[0]?.toString(), address).then(
              (client) => {
                clients.set(metadata, client);
                pass(metadata);
              },
              (error: unknown) => {
                const { code, message } = toInferenceError(error);
                const status = isTooMany(error) ? resourceExhausted : grpcStatuses[code];
                call.sendStatus({ code: status, details: message, metadata: new Metadata() });
              },
            );
          },
        }),
    });
  };
  return { interceptor, clientOf: (metadata) => clients.get(metadata) ?? nobody };
}
