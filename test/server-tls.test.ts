import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { copyFileSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import type { ServerEvent, ServerOptions } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { type CertificateFiles, createAuthority } from "./certificates.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const echo = echoSession({ x: { dtype: "float32", shape: [null, 2] } });

let folder: string;
let ca: Buffer;
let server: CertificateFiles;
let renewed: CertificateFiles;
let client: CertificateFiles;
let stranger: CertificateFiles;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-tls-"));
  const authority = createAuthority(folder);
  ca = readFileSync(authority.cert);
  [server, renewed, client] = [authority.sign("server"), authority.sign("renewed"), authority.sign("client")];
  stranger = createAuthority(folder, "another-ca").sign("stranger");
});
afterAll(() => rm(folder, { recursive: true }));

const serve = (options: Partial<ServerOptions>) => serverOfFakes({ echo }, options);
const files = ({ cert, key }: CertificateFiles) => ({ certFile: cert, keyFile: key });
const pem = ({ cert, key }: CertificateFiles) => ({ cert: readFileSync(cert), key: readFileSync(key) });

/** The status of a GET over HTTPS. */
async function get(url: string, identity: { cert?: Buffer; key?: Buffer } = {}): Promise<number | undefined> {
  const sent = request(url, { ca, ...identity, agent: false }).end();
  const [response] = await once(sent, "response");
  response.resume();
  return response.statusCode;
}

/** The code of a gRPC call over TLS: 0 for one that is answered, 14 where there is no connection. */
async function checkHealth(address: string, identity?: { cert: Buffer; key: Buffer }): Promise<number> {
  const channel = credentials.createSsl(ca, identity?.key ?? null, identity?.cert ?? null);
  const caller = grpcClient(address, { channel });
  const { code } = await caller.call("grpc.health.v1.Health", "Check", { service: "" });
  caller.close();
  return code;
}

/** What `openssl s_client` says of a connection, and whether it ended well. */
async function openssl(address: string, ...flags: string[]): Promise<{ code: number; text: string }> {
  const child = spawn("openssl", ["s_client", "-connect", address, ...flags]);
  child.stdin.end();
  const output = Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
  const [code] = await once(child, "close");
  return { code, text: Buffer.concat((await output).flat()).toString() };
}

/** The name on the certificate that a server shows. */
async function nameOf(address: string): Promise<string> {
  const [host, port] = address.split(":") as [string, string];
  const socket: TLSSocket = connect({ host, port: Number(port), ca, ALPNProtocols: ["h2", "http/1.1"] });
  await once(socket, "secureConnect");
  const name = String(socket.getPeerCertificate().subject.CN);
  socket.destroy();
  return name;
}

describe("a server with a certificate", () => {
  test("answers over HTTPS and gRPC", async () => {
    await using tls = await serve({ tls: files(server) });
    expect(tls.url).toMatch(/^https:/);
    expect(await get(`${tls.url}/v1/models/echo`)).toBe(200);
    expect(await checkHealth(tls.grpcAddress as string)).toBe(0);
    await expect(fetch(`${tls.url?.replace("https", "http")}/livez`)).rejects.toThrow(); // nothing in clear text
  });

  test("is what openssl s_client expects, and has no TLS before 1.2", async () => {
    await using tls = await serve({ tls: files(server) });
    for (const address of [new URL(tls.url as string).host, tls.grpcAddress as string]) {
      const flags = ["-CAfile", join(folder, "ca.crt"), "-verify_return_error", "-verify_ip", "127.0.0.1"];
      const good = await openssl(address, ...flags, "-alpn", "h2,http/1.1");
      expect([good.code, good.text]).toEqual([0, expect.stringContaining("Verify return code: 0 (ok)")]);
      const old = await openssl(address, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
      expect([old.code, old.text]).toEqual([1, expect.stringMatching(/alert protocol version|no protocols available/)]);
    }
  });

  test("shows another as soon as its files are replaced, and keeps the one it has where they don't fit", async () => {
    const live = { cert: join(folder, "live.crt"), key: join(folder, "live.key") };
    const put = ({ cert, key }: CertificateFiles) => {
      copyFileSync(cert, live.cert);
      copyFileSync(key, live.key);
    };
    put(server);
    const events = new EventEmitter();
    const onEvent = ({ type }: ServerEvent) => void events.emit(type);
    await using tls = await serve({ tls: files(live), secretsPollMs: 20, onEvent });
    const addresses = [new URL(tls.url as string).host, tls.grpcAddress as string];
    expect(await Promise.all(addresses.map(nameOf))).toEqual(["server", "server"]);
    const replaced = once(events, "new-certificate");
    put(renewed);
    await replaced;
    expect(await Promise.all(addresses.map(nameOf))).toEqual(["renewed", "renewed"]);
    expect(await checkHealth(tls.grpcAddress as string)).toBe(0);
    const refused = once(events, "bad-secret");
    copyFileSync(server.key, live.key); // which is not that of the certificate
    await refused;
    expect(await Promise.all(addresses.map(nameOf))).toEqual(["renewed", "renewed"]);
  });

  test("doesn't start with one that it can't use", async () => {
    const mixed = { certFile: server.cert, keyFile: renewed.key };
    await expect(serve({ tls: mixed })).rejects.toMatchObject({ code: "invalid-argument" });
    const missing = { certFile: join(folder, "none.crt"), keyFile: server.key };
    await expect(serve({ tls: missing })).rejects.toMatchObject({ code: "invalid-argument" });
  });
});

describe("a server that asks its clients for certificates", () => {
  test("answers those that its authority signed, and no others, over HTTPS and gRPC", async () => {
    await using tls = await serve({ tls: { ...files(server), clientCaFile: join(folder, "ca.crt") } });
    expect(await get(`${tls.url}/livez`, pem(client))).toBe(200);
    await expect(get(`${tls.url}/livez`)).rejects.toThrow();
    await expect(get(`${tls.url}/livez`, pem(stranger))).rejects.toThrow();
    const address = tls.grpcAddress as string;
    expect(await checkHealth(address, pem(client))).toBe(0);
    expect(await checkHealth(address)).toBe(14);
    expect(await checkHealth(address, pem(stranger))).toBe(14);
  });

  test("names them to openssl s_client", async () => {
    await using tls = await serve({ tls: { ...files(server), clientCaFile: join(folder, "ca.crt") } });
    for (const address of [new URL(tls.url as string).host, tls.grpcAddress as string]) {
      const { text } = await openssl(address, "-tls1_2", "-cert", client.cert, "-key", client.key);
      expect(text).toMatch(/Acceptable client certificate CA names\n.*CN = ca/);
      const without = await openssl(address, "-tls1_2");
      expect([without.code, without.text]).toEqual([1, expect.stringContaining("alert")]);
    }
  });
});

test("TensorFlow Serving's file of the certificate is gRPC's alone", async () => {
  const quote = (path: string) => JSON.stringify(readFileSync(path, "utf8"));
  const config = join(folder, "ssl.config");
  const text = `server_key: ${quote(server.key)} server_cert: ${quote(server.cert)}`;
  await writeFile(config, `${text} custom_ca: ${quote(join(folder, "ca.crt"))} client_verify: true`);
  await using tls = await serve({ sslConfigFile: config });
  expect((await fetch(`${tls.url}/livez`)).status).toBe(200);
  expect(await checkHealth(tls.grpcAddress as string, pem(client))).toBe(0);
  expect(await checkHealth(tls.grpcAddress as string)).toBe(14);
});
