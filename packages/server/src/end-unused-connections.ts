import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { FastifyInstance } from "fastify";

/** How long a connection may still take for its first request once the server is closing. */
const graceMs = 1000;

/**
 * When an app closes, ends the connections on which no request has come, such as a browser opens ahead: Node doesn't
 * count them as idle, and would wait for them for as long as their clients live.
 */
export function endUnusedConnections(app: FastifyInstance): void {
  const { server } = app;
  const unused = new Set<Socket>();
  server.on(server instanceof TlsServer ? "secureConnection" : "connection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  server.on("request", ({ socket }) => unused.delete(socket));
  app.addHook("preClose", (done) => {
    setTimeout(() => {
      for (const socket of unused) socket.destroy();
    }, graceMs).unref(); // a connection that would be waited for keeps the process
    done();
  });
}
