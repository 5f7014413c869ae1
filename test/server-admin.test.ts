import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InferenceServer } from "@nearside/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const echo = echoSession({ x: { dtype: "float32", shape: [null, 2] } });
const token = "0123456789abcdef";

let tokenFile: string;
let server: InferenceServer & { readonly folder: string };
beforeEach(async () => {
  tokenFile = join(await mkdtemp(join(tmpdir(), "nearside-admin-")), "token");
  await writeFile(tokenFile, `${token}\n`);
  server = await serverOfFakes({ a: echo, b: echo }, { admin: { port: 0, tokenFile } });
});
afterEach(async () => {
  await server.close();
  await rm(join(tokenFile, ".."), { recursive: true });
});

/** A POST to the admin API, or a GET without a body. */
async function admin(path: string, { body, as = token }: { body?: string; as?: string } = {}) {
  const headers = { authorization: `Bearer ${as}` };
  const init = body === undefined ? { headers } : { method: "POST", body, headers };
  const response = await fetch(server.adminUrl + path, init);
  return { status: response.status, text: await response.text() };
}

describe("the admin API", () => {
  test("listens on this machine alone, and asks for its token", async () => {
    expect(server.adminUrl).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect((await fetch(`${server.adminUrl}/metrics`)).status).toBe(401);
    expect((await admin("/admin/drain", { body: "", as: "fedcba9876543210" })).status).toBe(401);
    expect((await admin("/metrics")).text).toContain("nearside_ready 1");
    expect((await fetch(`${server.adminUrl}/readyz`)).status).toBe(200);
  });

  test("loads and unloads models, which the server's clients may not", async () => {
    const asClient = await fetch(`${server.url}/v2/repository/models/a/unload`, { method: "POST" });
    expect(asClient.status).toBe(501);
    expect((await admin("/v2/repository/models/a/unload", { body: "" })).status).toBe(200);
    expect((await fetch(`${server.url}/v2/models/a/ready`)).status).toBe(404);
    expect((await admin("/v2/repository/models/a/load", { body: "" })).status).toBe(200);
    expect((await fetch(`${server.url}/v2/models/a/ready`)).status).toBe(200);
  });

  test("replaces all models by those of a models.config", async () => {
    const config = `model_config_list { config { name: "b" base_path: "${join(server.folder, "b")}" } }`;
    expect(await admin("/admin/reload", { body: config })).toMatchObject({ status: 200 });
    expect((await fetch(`${server.url}/v2/models/a/ready`)).status).toBe(404);
    expect((await fetch(`${server.url}/v2/models/b/ready`)).status).toBe(200);
    const broken = await admin("/admin/reload", { body: "model_config_list { config { name: 5 } }" });
    expect(broken).toMatchObject({ status: 400, text: expect.stringContaining("body") });
  });

  test("drains the server", async () => {
    expect((await admin("/admin/drain", { body: "" })).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${server.url}/v1/models/a`)).status).toBe(200);
  });

  test("is nowhere else, and nowhere by default", async () => {
    expect((await fetch(`${server.url}/admin/drain`, { method: "POST" })).status).toBe(404);
    await using other = await serverOfFakes({ a: echo });
    expect(other.adminUrl).toBeNull();
  });

  test("doesn't start with a token that can be guessed", async () => {
    await writeFile(tokenFile, "secret");
    const started = serverOfFakes({ a: echo }, { admin: { port: 0, tokenFile } });
    await expect(started).rejects.toMatchObject({ code: "invalid-argument" });
  });
});
