import type { FastifyInstance } from "fastify";
import type { Repository } from "./repository/repository.ts";

/** Kubernetes' probes: `/livez` and `/healthz` while the server answers at all, `/readyz` while it may be sent requests. */
export function healthRoutes(app: FastifyInstance, repository: Repository): void {
  for (const path of ["/livez", "/healthz"]) app.get(path, async () => "ok");
  app.get("/readyz", async (_request, reply) => {
    return reply.code(repository.isReady ? 200 : 503).send(repository.isReady ? "ready" : "not ready");
  });
}
