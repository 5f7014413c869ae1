import { models } from "./models.mjs";

/**
 * Starts the inference server in this process, for the page at `pagePort`. Throws if a model failed to load; the
 * server is closed then.
 */
export async function startServer(port, pagePort) {
  const { createServer } = await import("@nearside/server");
  const failures = [];
  const server = createServer({
    models: models.map(({ name, graphModel }) => ({ name, basePath: graphModel })),
    backend: "wasm",
    host: "127.0.0.1",
    restPort: port,
    corsOrigins: [`http://localhost:${pagePort}`, `http://127.0.0.1:${pagePort}`],
    onEvent: (event) => "error" in event && failures.push(event.error),
  });
  await server.listen();
  if (failures.length === 0) return server;
  await server.close();
  throw failures[0];
}
