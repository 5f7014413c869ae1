import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createServer, type InferenceServer } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeDoublingModel } from "../packages/server/testing/doubling-model.ts";

const command = fileURLToPath(new URL("../packages/server/bin/nearside-server.js", import.meta.url));
let folder: string;
let server: InferenceServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-load-"));
  await writeDoublingModel(join(folder, "double"));
  const models = [{ name: "double", basePath: join(folder, "double") }];
  server = createServer({ models, host: "127.0.0.1", restPort: 0, grpcPort: 0, backend: "cpu" });
  await server.listen();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function bench(...args: string[]) {
  const common = [
    `--url=${server.url}`,
    "--model=double",
    `--grpc=${server.grpcAddress}`,
    "--seconds=0.2",
    "--warm_up=0.05",
    `--output=${folder}`,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [command, "bench", ...common, ...args]);
  const { loads, ...about } = JSON.parse(await readFile(join(folder, "load.json"), "utf8"));
  return { stdout, loads, about, chart: await readFile(join(folder, "load.svg"), "utf8") };
}

describe("nearside-server bench", () => {
  test.each(["binary", "rest", "grpc"])("measures requests by %s", async (protocol) => {
    const { stdout, loads, about, chart } = await bench(`--protocol=${protocol}`, "--clients=1,3", "--rows=2");
    expect(loads).toHaveLength(2);
    for (const load of loads) {
      expect(load).toMatchObject({ p50Ms: expect.any(Number), errors: {} });
      expect(load.requests).toBeGreaterThanOrEqual(load.load.clients);
      expect(load.p50Ms).toBeLessThanOrEqual(load.p99Ms);
    }
    expect(about).toMatchObject({ model: "double", protocol });
    expect(stdout).toMatch(/3 clients/);
    expect(chart).toContain("3 clients");
  });

  test("sends a file as it is, at a rate, and counts what the server refuses", async () => {
    const input = join(folder, "request.json");
    await writeFile(input, '{"instances": [[1, 2, 3]]}');
    const { loads } = await bench("--protocol=rest", `--input=${input}`, "--rate=50");
    expect(loads[0]).toMatchObject({
      load: { ratePerSecond: 50 },
      requests: 10,
      p50Ms: null,
      errors: { "HTTP 400": 10 },
    });
  });

  test("counts what a gRPC server refuses, by its status", async () => {
    const url = server.url as string;
    const { loads } = await bench("--protocol=grpc", `--grpc=${new URL(url).host}`, "--clients=1"); // which is HTTP's
    expect(loads[0].p50Ms).toBeNull();
    expect(Object.keys(loads[0].errors)).toEqual(["gRPC UNAVAILABLE"]);
  });

  test.each([
    [["--protocol=carrier-pigeon"], /--protocol: expected one of binary, rest, grpc/],
    [["--clients=0"], /--clients: expected a whole number from 1/],
    [["--clients=1", "--rate=1"], /expected one of them/],
    [["--model=none"], /HTTP 404/],
    [["--url=nowhere"], /--url: expected an address/],
    [["--speed=9"], /bench: Unknown option '--speed'; see bench --help\n$/],
  ])("refuses %j", async (args, message) => {
    await expect(bench(...args)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  });
});
