import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a gate does with the requests that come. */
export type GateState =
  /** Hands them on. */
  | "open"
  /** Refuses connections. */
  | "down"
  /** Answers nothing until it is in another state. */
  | "slow"
  /** Answers with a page, as what stands before servers may. */
  | "garbled"
  /** Answers 503, and asks to be left alone for so many seconds. */
  | { readonly retryAfterSeconds: number };

/** What stands before a server and lets it be slow, down or overloaded, for pages of any origin. */
export interface ServerGate extends AsyncDisposable {
  readonly origin: string;
  /** When requests for a run came, in milliseconds. */
  readonly runTimesMs: number[];
  state: GateState;
}

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*",
  "access-control-expose-headers": "retry-after, inference-header-content-length",
};

/** Puts a gate before the server of this origin, on a free loopback port. */
export async function openGate(origin: string): Promise<ServerGate> {
  const server = createServer((request, response) => void answer(request, response));
  const held = new Set<() => void>();
  let state: GateState = "open";
  const runTimesMs: number[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (state === "down") return void request.socket.destroy();
    if (request.method === "OPTIONS") return void response.writeHead(204, cors).end();
    const body: Buffer[] = [];
    for await (const part of request) body.push(part);
    if (request.method === "POST") runTimesMs.push(performance.now());
    if (state === "slow") await new Promise<void>((resolve) => held.add(resolve));
    if (state === "garbled") return void response.writeHead(200, cors).end("<!doctype html>");
    if (typeof state === "object") {
      const headers = { ...cors, "retry-after": String(state.retryAfterSeconds) };
      return void response.writeHead(503, headers).end("too much to do");
    }
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => /^(content-type|inference-)/.test(name)),
    ) as Record<string, string>; // these are no lists
    const method = request.method ?? "GET";
    const reply = await fetch(origin + request.url, {
      method,
      headers,
      ...(method === "POST" && { body: Buffer.concat(body) }),
    });
    const kept = [...reply.headers].filter(([name]) => /^(content-type|inference-)/.test(name));
    response.writeHead(reply.status, { ...cors, ...Object.fromEntries(kept) });
    response.end(Buffer.from(await reply.arrayBuffer()));
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    origin: `http://127.0.0.1:${port}`,
    runTimesMs,
    get state() {
      return state;
    },
    set state(next) {
      state = next;
      for (const release of held) release();
      held.clear();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
