import type { FastifyInstance, FastifyRequest } from "fastify";
import { pathOf } from "../path-of.ts";
import type { Client } from "./access-tokens.ts";
import { type Guard, nobody } from "./guard.ts";

/** What probes ask, who have no tokens. */
const openPaths = /^\/(?:livez|readyz|healthz|v2\/health\/(?:live|ready)\/?)$/i;

/** A guard of requests over HTTP. */
export interface HttpGuard {
  /** Lets the requests of these routes in before their bodies are read, or refuses them. */
  protect(routes: FastifyInstance): void;
  /** Whose a request is. */
  clientOf(request: FastifyRequest): Client;
}

/** The HTTP side of a guard. */
export function guardHttp(guard: Guard): HttpGuard {
  const clients = new WeakMap<FastifyRequest, Client>();
  return {
    protect: (routes) => {
      routes.addHook("onRequest", (request, _reply, done) => {
        if (openPaths.test(pathOf(request))) return done();
        guard.admit(request.headers.authorization, request.ip).then((client) => {
          clients.set(request, client);
          done();
        }, done);
      });
    },
    clientOf: (request) => clients.get(request) ?? nobody,
  };
}
