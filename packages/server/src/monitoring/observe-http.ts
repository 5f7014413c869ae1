import type { FastifyInstance, FastifyRequest } from "fastify";
import { pathOf } from "../path-of.ts";
import type { Client } from "../security/access-tokens.ts";
import type { CallPhases, Phase } from "./call-phases.ts";
import { type OnCall, statusNameOfHttp } from "./finished-call.ts";
import { httpCall } from "./http-call.ts";

/** nginx's status, in logs and metrics alone, for a client that went away before it was answered. */
const clientGone = 499;

/** Who is told of requests, whose they are, and what measures their phases. */
export interface ObserveHttpOptions {
  readonly onCall: OnCall;
  readonly clientOf: (request: FastifyRequest) => Client;
  readonly phases?: CallPhases | undefined;
}

/** Tells of each request over HTTP once it was answered, or its client has gone away. */
export function observeHttp(app: FastifyInstance, { onCall, clientOf, phases }: ObserveHttpOptions): void {
  const phasesOf = new WeakMap<FastifyRequest, Phase[]>();
  if (phases) {
    app.addHook("preHandler", (request, _reply, done) => {
      const recorded: Phase[] = [];
      phasesOf.set(request, recorded);
      phases.record(recorded, done);
    });
  }
  app.addHook("onResponse", (request, reply, done) => {
    const path = pathOf(request);
    const code = reply.raw.writableFinished ? reply.statusCode : clientGone;
    const durationMs = reply.elapsedTime;
    onCall({
      entrypoint: "REST",
      ...httpCall(path),
      path: `${request.method} ${path}`,
      status: statusNameOfHttp(code),
      code,
      startMs: Date.now() - durationMs,
      durationMs,
      client: clientOf(request).name,
      address: request.ip,
      ...(phases && { phases: phasesOf.get(request) ?? [] }),
      header: (name) => {
        const value = request.headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
    });
    done();
  });
}
