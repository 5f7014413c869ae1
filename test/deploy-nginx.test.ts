import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client, credentials } from "@grpc/grpc-js";
import { createServer, type InferenceServer } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toService } from "../packages/server/src/grpc/service.ts";
import { doublingShard, writeDoublingModel } from "../packages/server/testing/doubling-model.ts";
import { commandWorks } from "./command-works.ts";

const run = promisify(execFile);
const hasTools = (await commandWorks("nginx", "-v")) && (await commandWorks("openssl", "version"));
if (!hasTools) console.log("deploy/nginx.conf is not tested: nginx and openssl are not here");

let folder: string;
let server: InferenceServer;
let certificate: Buffer;

/** The committed configuration with this test's addresses and folders, under a main file that Debian's package would have. */
async function startNginx(): Promise<void> {
  const committed = await readFile(
    fileURLToPath(new URL("../packages/server/deploy/nginx.conf", import.meta.url)),
    "utf8",
  );
  const replacements = {
    "127.0.0.1:8501": new URL(server.url ?? "").host,
    "127.0.0.1:8500": server.grpcAddress ?? "",
    "listen 443 ssl http2": `listen unix:${folder}/nginx.sock ssl http2`,
    "/etc/nginx/tls/": `${folder}/`,
    "/var/cache/nginx/nearside": `${folder}/kept`,
  };
  let site = committed;
  for (const [from, to] of Object.entries(replacements)) {
    expect(site).toContain(from);
    site = site.replaceAll(from, to);
  }
  await writeFile(join(folder, "site.conf"), site);
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const main = [
    process.getuid?.() === 0 ? "user root;" : "",
    `pid ${folder}/nginx.pid; error_log ${folder}/error.log;`,
    `events {} http { access_log off; ${folders.join(" ")} include ${folder}/site.conf; }`,
  ];
  await writeFile(join(folder, "nginx.conf"), main.join("\n"));
  await run("nginx", ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")]); // returns when it listens
}

beforeAll(async () => {
  if (!hasTools) return;
  folder = await mkdtemp(join(tmpdir(), "nearside-nginx-"));
  await writeDoublingModel(join(folder, "doubling", "1"));
  server = createServer({
    models: [{ name: "doubling", basePath: join(folder, "doubling") }],
    ...{ backend: "cpu", host: "127.0.0.1", restPort: 0, grpcPort: 0, cacheDir: join(folder, "cache") },
    corsOrigins: ["https://app.example"],
  });
  await server.listen();
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt")];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", ...subject, ...files]);
  certificate = await readFile(join(folder, "tls.crt"));
  await startNginx();
});
afterAll(async () => {
  if (!hasTools) return;
  await run("nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-s", "stop"]);
  await server.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 }); // nginx removes its pid file meanwhile
});

interface Reply {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Asks nginx over TLS. */
function ask(path: string, { method = "GET", headers = {}, body = "" } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: `${folder}/nginx.sock`, ca: certificate, servername: "localhost", agent: false };
    const request = httpsRequest(
      { ...options, path, method, headers: { host: "localhost", ...headers } },
      (response) => {
        response.toArray().then((chunks) => {
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
        }, reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

const shard = `/models/doubling/${doublingShard}`;

describe.skipIf(!hasTools)("behind nginx", () => {
  test("a prediction over REST is what the server answers", async () => {
    const body = JSON.stringify({ instances: [[1, 2]] });
    const reply = await ask("/v1/models/doubling:predict", { method: "POST", body });
    expect(JSON.parse(reply.body.toString())).toEqual({ predictions: [[2, 4]] });
  });

  test("a prediction over gRPC is what the server answers", async () => {
    const { Predict } = toService("tensorflow.serving.PredictionService", {} as never, () => {}).definition;
    if (!Predict) throw new Error("there is no Predict");
    const client = new Client(`unix:${folder}/nginx.sock`, credentials.createSsl(certificate), {
      "grpc.ssl_target_name_override": "localhost",
      "grpc.default_authority": "localhost",
    });
    const x = { dtype: 1, tensorShape: { dim: [{ size: 1 }, { size: 2 }] }, floatVal: [1, 2] };
    const { path, requestSerialize, responseDeserialize } = Predict;
    const answer = await new Promise<{ outputs: Map<string, { floatVal: Iterable<number> }> }>((resolve, reject) => {
      const message = { modelSpec: { name: "doubling" }, inputs: new Map([["x", x]]) };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error, response) =>
        error ? reject(error) : resolve(response as never),
      );
    });
    client.close();
    expect([...(answer.outputs.get("y")?.floatVal ?? [])]).toEqual([2, 4]);
  });

  test("a shard comes from nginx the second time, with the server's headers", async () => {
    const path = `${shard}?kept`; // a copy of its own
    const first = await ask(path);
    const second = await ask(path);
    expect(first.headers["x-cache-status"]).toBe("MISS");
    expect(second).toMatchObject({
      status: 200,
      body: first.body,
      headers: {
        "x-cache-status": "HIT",
        "cache-control": "public, max-age=31536000, immutable",
        etag: first.headers.etag,
      },
    });
    expect(new Float32Array(Uint8Array.from(second.body).buffer)).toEqual(Float32Array.of(2));
  });

  test.each(["?missed", "?kept-before"])("a range of a shard (%s) is that part of it", async (query) => {
    if (query === "?kept-before") await ask(shard + query);
    const reply = await ask(shard + query, { headers: { range: "bytes=1-2" } });
    expect(reply).toMatchObject({ status: 206, headers: { "content-range": "bytes 1-2/4" } });
    expect(reply.body).toEqual(Buffer.from(Float32Array.of(2).buffer).subarray(1, 3));
  });

  test("a shard is kept for each origin with the right of that origin alone", async () => {
    const path = `${shard}?origins`;
    const allowed = (origin: string) =>
      ask(path, { headers: { origin } }).then(({ headers }) => headers["access-control-allow-origin"]);
    expect(await allowed("https://app.example")).toBe("https://app.example");
    expect(await allowed("https://other.example")).toBeUndefined();
    expect(await allowed("https://app.example")).toBe("https://app.example");
  });

  test("a preflight is answered by the server", async () => {
    const headers = { origin: "https://app.example", "access-control-request-method": "POST" };
    const reply = await ask("/v2/models/doubling/infer", { method: "OPTIONS", headers });
    expect(reply).toMatchObject({ status: 204, headers: { "access-control-allow-origin": "https://app.example" } });
  });

  test("model.json is asked for again, and answered with 304 while it is the same", async () => {
    const first = await ask("/models/doubling/model.json");
    expect(first.headers["cache-control"]).toBe("no-cache");
    const headers = { "if-none-match": String(first.headers.etag) };
    expect(await ask("/models/doubling/model.json", { headers })).toMatchObject({ status: 304 });
  });

  test.each(["/metrics", "/METRICS", "/monitoring/prometheus/metrics", "/v2/repository/index"])(
    "%s is not to be had from outside",
    async (path) => {
      const method = path.startsWith("/v2") ? "POST" : "GET";
      expect(await ask(path, { method })).toMatchObject({ status: 404, headers: { "content-type": "text/html" } });
    },
  );

  test("a shard that was asked for before is there while no server answers", async () => {
    const path = `${shard}?kept-for-long`;
    const { body } = await ask(path);
    await server.close();
    expect(await ask(path)).toMatchObject({ status: 200, body });
    expect(await ask("/models/doubling/model.json")).toMatchObject({ status: 502 });
  });
});
