import { Metadata, ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import type { Client } from "../security/access-tokens.ts";
import type { CallPhases, Phase } from "./call-phases.ts";
import { grpcStatusName, type OnCall } from "./finished-call.ts";

/** Who is told of calls, whose they are, and what measures their phases. */
export interface ObserveGrpcOptions {
  readonly onCall: OnCall;
  readonly clientOf: (metadata: Metadata) => Client;
  readonly phases?: CallPhases | undefined;
}

/** Tells of each gRPC call once its status is sent, or its client has gone away. */
export function observeGrpc({ onCall, clientOf, phases }: ObserveGrpcOptions): ServerInterceptor {
  return ({ path }, call) => {
    const startMs = Date.now();
    const sinceMs = performance.now();
    let request: unknown;
    let metadata = new Metadata();
    const recorded: Phase[] = [];
    let isOver = false;
    const finish = (code: number) => {
      if (isOver) return;
      isOver = true;
      const durationMs = performance.now() - sinceMs;
      const [model, api] = [modelOf(request), path.split("/").at(-1) ?? null];
      const address = call.getConnectionInfo().remoteAddress ?? "";
      const common = { entrypoint: "GRPC", api, model, path, status: grpcStatusName(code), code } as const;
      const client = clientOf(metadata).name;
      const header = (name: string) => metadata.get(name)[0]?.toString();
      onCall({ ...common, startMs, durationMs, client, address, header, ...(phases && { phases: recorded }) });
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (received, pass) => {
            metadata = received;
            pass(received);
          },
          onReceiveMessage: (message, pass) => {
            request ??= message;
            pass(message);
          },
          onReceiveHalfClose: (pass) => (phases ? phases.record(recorded, pass) : pass()), // which answers the call
          onCancel: () => finish(status.CANCELLED),
        }),
      sendStatus: (sent, next) => {
        finish(sent.code);
        next(sent);
      },
    });
  };
}

/** Where the messages of the services name their model. */
interface NamingModel {
  readonly modelSpec?: { readonly name?: string };
  readonly tasks?: readonly NamingModel[];
  readonly modelName?: string;
  readonly name?: string;
}

function modelOf(request: unknown): string | null {
  const { modelSpec, tasks, modelName, name } = (request ?? {}) as NamingModel; // of whatever service
  return modelSpec?.name ?? tasks?.[0]?.modelSpec?.name ?? modelName ?? name ?? null;
}
