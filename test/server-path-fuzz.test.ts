import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type InferenceServer } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { doublingShard, writeDoublingModel } from "../packages/server/testing/doubling-model.ts";

const count = 5000;
const seed = Number(process.env.NEARSIDE_FUZZ_SEED ?? 20261128);
const secret = "what lies outside of every manifest";

let folder: string;
let server: InferenceServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-paths-"));
  await writeDoublingModel(join(folder, "models", "double", "1"));
  await writeDoublingModel(join(folder, "models", "climber", "1"));
  const manifest = join(folder, "models", "climber", "1", "model.json");
  await writeFile(manifest, (await readFile(manifest, "utf8")).replaceAll(doublingShard, "../../../secret.txt"));
  for (const place of ["", "models", "models/double", "models/double/1"]) {
    await writeFile(join(folder, place, "secret.txt"), secret);
  }
  await symlink(join(folder, "secret.txt"), join(folder, "models", "double", "1", "link.txt"));
  server = createServer({
    models: ["double", "climber"].map((name) => ({ name, basePath: join(folder, "models", name) })),
    ...{ host: "127.0.0.1", restPort: 0, backend: "cpu", maxLoadRetries: 0, cacheDir: join(folder, "cache") },
  });
  await server.listen();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const starts = [
  ...["/models/double/", "/models/double/1/", "/models/climber/", "/models/", "/MODELS/Double/", "/", "//"],
  ...["/v1/models/", "/v1/models/double/", "/v2/models/", "/v2/models/double/versions/", "/v2/repository/models/"],
  ...["/metrics/", "/livez/", "http://other.example/models/double/"],
];
const parts = [
  ...["..", ".", "...", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%c0%ae%c0%ae", "%u002e%u002e", "..;", "..\\", "..%5c"],
  ...["..%2f", "%2f", "%5c", "/", "//", "\\", "%00", "%0a", "%", "%zz", "?", "#", "?file=", "~", "*", " ", "é", ":"],
  ...["secret.txt", "link.txt", "etc/passwd", "%2fetc%2fpasswd", "proc/self/environ", "model.json", "saved_model.pb"],
  ...["double", "climber", "versions", "1", "models", doublingShard, "model.json%00.txt", "C:", "file:///", "infer"],
];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomNumbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function makePaths(): string[] {
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T; // below its length
  return Array.from({ length: count }, () => {
    const length = 1 + Math.floor(random() ** 2 * 8); // mostly short, so that some name files
    const picked = Array.from({ length }, () => pick(parts) + (random() < 0.7 ? "/" : ""));
    return pick(starts) + picked.join("").replace(random() < 0.8 ? /\/$/ : /$^/, "");
  });
}

/** What a server answers to a path as it is, which no client of HTTP would send. */
async function get(path: string): Promise<string> {
  const { hostname, port } = new URL(server.url as string); // it listens
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  const chunks: Uint8Array[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

describe(`${count} hostile paths (seed ${seed})`, () => {
  const statuses = new Map<number, number>();

  test.each([0, 1, 2, 3, 4])("read no file but those that a manifest lists (fifth %i)", async (fifth) => {
    const files = [
      await readFile(join(folder, "models/double/1/model.json"), "latin1"),
      await readFile(join(folder, "models/double/1", doublingShard), "latin1"),
    ];
    const wrong: string[] = [];
    const next = makePaths()
      .slice((fifth * count) / 5, ((fifth + 1) * count) / 5)
      .values();
    const client = async () => {
      for (const path of next) {
        const answer = await get(path);
        const status = Number(answer.split(" ")[1]);
        const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const isFile = /\/models\//i.test(path) && !/\/v[12]\//.test(path) && status === 200;
        if (answer.includes(secret) || /root:.*:0:0|PATH=/.test(body)) wrong.push(`${path} answers what it must not`);
        if (isFile && !files.includes(body)) wrong.push(`${path} answers another file`);
        const expected = [200, 400, 404, path.includes("climber") ? 503 : 404]; // the model that failed to load
        if (!expected.includes(status)) wrong.push(`${path} is answered with ${status}`);
      }
    };
    await Promise.all(Array.from({ length: 20 }, client));
    expect(wrong).toEqual([]);
  });

  test("do reach files, and leave the server well", async () => {
    expect(statuses.get(200)).toBeGreaterThan(10);
    expect(statuses.get(404)).toBeGreaterThan(1000);
    expect((await fetch(`${server.url}/v1/models/double`)).status).toBe(200);
  });

  test("nor does a model whose manifest lists a file outside of it", async () => {
    expect(server.repository.versions("climber")).toMatchObject([{ state: "end", error: { code: "data-loss" } }]);
  });
});
