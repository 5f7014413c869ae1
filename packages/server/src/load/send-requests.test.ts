import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpSender } from "./send-requests.ts";

const request = { path: "a/b", headers: { "content-type": "text/plain" }, body: Buffer.from("question") };

/** A sender to a server that answers so, and how many connections it had. */
async function senderTo(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  let connections = 0;
  server.on("connection", () => {
    connections++;
  });
  const sender = httpSender(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), request);
  onTestFinished(() => {
    sender.close();
    server.close();
  });
  return { ...sender, countConnections: () => connections };
}

describe("httpSender", () => {
  test("sends path, headers and body, over a connection that it keeps", async () => {
    const seen: string[] = [];
    const sender = await senderTo(async (message, reply) => {
      const parts = await message.toArray();
      seen.push([message.method, message.url, message.headers["content-type"], Buffer.concat(parts)].join(" "));
      reply.end("answer");
    });
    for (let count = 0; count < 3; count++) expect(await sender.send()).toBeUndefined();
    expect(seen).toEqual(new Array(3).fill("POST /a/b text/plain question"));
    expect(sender.countConnections()).toBe(1);
  });

  test("opens as many connections as there are requests at a time", async () => {
    const replies: (() => void)[] = [];
    const sender = await senderTo((_message, reply) => {
      replies.push(() => reply.end());
      if (replies.length === 4) for (const answer of replies) answer();
    });
    expect(await Promise.all(Array.from({ length: 4 }, sender.send))).toEqual(new Array(4).fill(undefined));
    expect(sender.countConnections()).toBe(4);
  });

  test("waits for the whole answer, in chunks as well, before it sends again", async () => {
    const half = Buffer.alloc(300_000, "\r\n0\r\n\r\n"); // what would end an answer if it stood outside its chunks
    const sender = await senderTo((_message, reply) => {
      reply.write(half);
      setImmediate(() => reply.end(half));
    });
    for (let count = 0; count < 5; count++) expect(await sender.send()).toBeUndefined();
    expect(sender.countConnections()).toBe(1);
  });

  test("tells of another status, and opens a new connection after one that was closed", async () => {
    const sender = await senderTo((_message, reply) => reply.writeHead(503, { connection: "close" }).end("busy"));
    expect(await sender.send()).toBe("HTTP 503");
    expect(await sender.send()).toBe("HTTP 503");
    expect(sender.countConnections()).toBe(2);
  });

  test("tells of a connection that ends before the answer, and of one that can't be had", async () => {
    const sender = await senderTo((_message, reply) => reply.destroy());
    expect(await sender.send()).toMatch(/closed the connection|ECONNRESET/); // as the system saw it
    const server = createSocketServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const nobody = httpSender(new URL(`http://127.0.0.1:${port}`), request);
    expect(await nobody.send()).toBe("ECONNREFUSED");
  });

  test("tells of an answer that is no HTTP", async () => {
    const server = createSocketServer((socket) => socket.end("SSH-2.0\r\n\r\n")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const sender = httpSender(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), request);
    expect(await sender.send()).toMatch("not HTTP/1.1");
    server.close();
  });
});
