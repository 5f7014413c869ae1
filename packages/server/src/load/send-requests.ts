import { Agent, request } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { LoadRequest } from "./load-request.ts";

/** Sends one request and waits for all of its answer; resolves with what went wrong, or undefined. */
export type Send = () => Promise<string | undefined>;

/** Sends requests to a server over connections that are kept open, as many as there are requests at a time. */
export function httpSender(server: URL, { path, headers, body }: LoadRequest): { send: Send; close(): void } {
  const isSecure = server.protocol === "https:";
  const agent = new (isSecure ? SecureAgent : Agent)({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const url = new URL(path, server.href.endsWith("/") ? server : `${server.href}/`);
  const options = { method: "POST", agent, headers: { ...headers, "content-length": body.byteLength } };
  const send: Send = () =>
    new Promise((resolve) => {
      const sent = (isSecure ? secureRequest : request)(url, options, (response) => {
        response.on("end", () => resolve(response.statusCode === 200 ? undefined : `HTTP ${response.statusCode}`));
        response.on("error", ({ message }) => resolve(message));
        response.resume();
      });
      sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}
