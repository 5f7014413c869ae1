import type { Server } from "node:tls";
import { InferenceError, toInferenceError } from "@nearside/core";
import type { FastifyInstance } from "fastify";
import { secureContext, type TlsIdentity } from "./security/tls.ts";

/** Lets an app listen on a port of an address. Rejects with `unavailable` if it can't be had. */
export async function listenOn(app: FastifyInstance, host: string, port: number): Promise<void> {
  await app.listen({ host, port }).catch((cause: unknown) => {
    throw cannotListen(`${host}:${port}`, cause);
  });
}

/** The error for an address that can't be had. */
export function cannotListen(address: string, cause: unknown): InferenceError {
  return new InferenceError("unavailable", `cannot listen on ${address}: ${toInferenceError(cause).message}`, {
    cause,
  });
}

/** Gives new connections of an app of HTTPS another certificate. */
export function replaceIdentity(app: FastifyInstance, identity: TlsIdentity): void {
  (app.server as object as Server).setSecureContext(secureContext(identity)); // one with an identity is HTTPS
}
