import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSession } from "nearside";
import { expect, test } from "vitest";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const x = { dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) } as const;

test("a fallback sends its requests by the fetch that it is given, which adds a token", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearside-token-"));
  const tokensFile = join(folder, "tokens.json");
  const sha256 = createHash("sha256").update("s3cret").digest("hex");
  await writeFile(tokensFile, JSON.stringify({ tokens: [{ name: "page", sha256 }] }));
  const server = await serverOfFakes(
    { echo: echoSession({ x: { dtype: "float32", shape: [null, 2] } }) },
    { tokensFile },
  );
  const fallback = { server: server.url as string, model: "echo" };
  const withToken: typeof fetch = (url, init) => {
    const request = new Request(url, init);
    request.headers.set("authorization", "Bearer s3cret");
    return fetch(request);
  };
  const open = (fetch?: typeof globalThis.fetch) =>
    openSession("https://cdn.example/model.json", { backend: [], fallback: { ...fallback, ...(fetch && { fetch }) } });
  try {
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining("Bearer token") });
    const session = await open(withToken);
    expect(await session.run({ x })).toEqual({ x });
    await session.close();
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
});
