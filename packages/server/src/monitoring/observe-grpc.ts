import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { grpcStatusName, type OnCall } from "./finished-call.ts";

/** Tells of each gRPC call once its status is sent, or its client has gone away. */
export function observeGrpc(onCall: OnCall): ServerInterceptor {
  return ({ path }, call) => {
    const startMs = Date.now();
    const sinceMs = performance.now();
    let request: unknown;
    let header = (_name: string): string | undefined => undefined;
    let isOver = false;
    const finish = (code: number) => {
      if (isOver) return;
      isOver = true;
      const durationMs = performance.now() - sinceMs;
      const [model, api] = [modelOf(request), path.split("/").at(-1) ?? null];
      const address = call.getConnectionInfo().remoteAddress ?? "";
      const common = { entrypoint: "GRPC", api, model, path, status: grpcStatusName(code), code } as const;
      onCall({ ...common, startMs, durationMs, address, header });
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            header = (name) => metadata.get(name)[0]?.toString();
            pass(metadata);
          },
          onReceiveMessage: (message, pass) => {
            request ??= message;
            pass(message);
          },
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
