import type { FastifyRequest } from "fastify";

/** The path of a request as it was sent, which the APIs decode themselves; without the query, which may hold secrets. */
export function pathOf({ raw }: FastifyRequest): string {
  return (raw.url ?? "").replace(/\?.*$/s, "");
}
