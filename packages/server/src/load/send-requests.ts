import { Client, credentials, status } from "@grpc/grpc-js";
import { HttpConnection } from "./http-connection.ts";
import type { LoadRequest } from "./load-request.ts";

/** Sends one request and waits for all of its answer; resolves with what went wrong, or undefined. */
export type Send = () => Promise<string | undefined>;

/** Sends requests to a server over connections that are kept open, as many as there are requests at a time. */
export function httpSender(server: URL, { path, headers, body }: LoadRequest): { send: Send; close(): void } {
  const url = new URL(path, server.href.endsWith("/") ? server : `${server.href}/`);
  const fields = Object.entries({ host: url.host, ...headers, "content-length": body.byteLength });
  const lines = [`POST ${url.pathname} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), "", ""];
  const request = Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), body]);
  const all = new Set<HttpConnection>();
  const idle: HttpConnection[] = [];
  const send: Send = async () => {
    const connection = idle.pop() ?? new HttpConnection(url, request);
    all.add(connection);
    const failure = await connection.send();
    if (connection.isOpen) idle.push(connection);
    else all.delete(connection);
    return failure;
  };
  const close = () => {
    for (const connection of all) connection.close();
  };
  return { send, close };
}

/** Calls a gRPC server, all calls over one connection, as its clients do; `address` is such as `localhost:8500`. */
export function grpcSender(address: string, { path, body }: LoadRequest): { send: Send; close(): void } {
  const client = new Client(address, credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  const bytes = Buffer.from(body);
  const send: Send = () =>
    new Promise((resolve) => {
      const done = (error: { code: status } | null) => resolve(error ? `gRPC ${status[error.code]}` : undefined);
      client.makeUnaryRequest(
        path,
        (request: Buffer) => request,
        (response) => response.byteLength,
        bytes,
        done,
      );
    });
  return { send, close: () => client.close() };
}
