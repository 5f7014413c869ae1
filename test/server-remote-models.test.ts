import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type ServerOptions } from "@nearside/server";
import { expect, test } from "vitest";
import { writeDoublingModel } from "../packages/server/testing/doubling-model.ts";

test("a server serves what another one has at /models, and goes on when that is gone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearside-remote-"));
  const serverOf = (name: string, options: Partial<ServerOptions>) =>
    createServer({
      ...{ host: "127.0.0.1", restPort: 0, backend: "cpu", cacheDir: join(folder, name), maxLoadRetries: 0 },
      ...options,
    });
  await writeDoublingModel(join(folder, "model", "7"));
  const origin = serverOf("origin", { models: [{ name: "m", basePath: join(folder, "model") }] });
  await origin.listen();
  const basePath = `${origin.url}/models/m`;
  const models = [
    { name: "newest", basePath },
    { name: "listed", basePath, versions: { specific: [7n] } },
  ];
  const server = serverOf("server", { models });
  try {
    await server.listen();
    await origin.close();
    await server.repository.poll();
    for (const path of ["newest", "listed/versions/7"]) {
      const body = '{"instances": [[1, 2]]}';
      const response = await fetch(`${server.url}/v1/models/${path}:predict`, { method: "POST", body });
      expect(await response.json()).toEqual({ predictions: [[2, 4]] });
    }
    expect(server.repository.versions("listed")).toMatchObject([{ version: 7n, state: "available" }]);
    expect(server.repository.isReady).toBe(true);
  } finally {
    await server.close();
    await origin.close();
    await rm(folder, { recursive: true });
  }
});
