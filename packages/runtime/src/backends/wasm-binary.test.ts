import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWasmBackend } from "./wasm.ts";
import { compileWasmBinary } from "./wasm-binary.ts";

const require = createRequire(import.meta.url);
const fileOf = (path: string) => require.resolve(`@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm${path}.wasm`);

/** Serves the binary with SIMD under the media type that its path names; nothing else is there. */
const server = createServer(async (request, response) => {
  const type = request.url?.slice(1) ?? "";
  if (!type.includes("/")) return void response.writeHead(404).end();
  response.writeHead(200, { "content-type": type }).end(await readFile(fileOf("-simd")));
});
let origin: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has one
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

test.each(["application/wasm", "application/octet-stream"])(
  "a binary served as %s is compiled, and the backend passes its self-test on it",
  async (type) => {
    const binary = compileWasmBinary({ scalar: "", simd: `${origin}/${type}` });
    expect((await binary).isShared).toBe(false);
    const backend = await openWasmBackend({ binary });
    expect(backend.memory().deviceBytes).toBeGreaterThan(0);
    await backend.close();
  },
);

test("a binary is compiled with shared memory where that is wanted", async () => {
  const { module, isShared } = await compileWasmBinary(
    { scalar: "", simd: `${origin}/application/wasm` },
    { isShared: true },
  );
  expect(isShared).toBe(true);
  expect(WebAssembly.Module.exports(module)).toContainEqual({ name: "memory", kind: "memory" });
});

test("where a binary isn't there, the backend can't be opened", async () => {
  const binary = compileWasmBinary({ scalar: "", simd: `${origin}/nothing` });
  await expect(binary).rejects.toThrow("HTTP 404");
  await expect(openWasmBackend({ binary })).rejects.toMatchObject({ code: "no-backend" });
});
