import { expect, test } from "vitest";
import { openCpuBackend } from "./cpu.ts";
import { openWasmBackend } from "./wasm.ts";
import { openWebgpuBackend } from "./webgpu.ts";

test.each([
  ["cpu", openCpuBackend],
  ["wasm", openWasmBackend],
] as const)("the backend %s opens, passes its self-test, and opens again once closed", async (name, open) => {
  for (let count = 0; count < 2; count++) {
    const backend = await open();
    expect(backend.name).toBe(name);
    await backend.close();
  }
});

test("the backend webgpu is refused where there is no WebGPU, and where it has no adapter", async () => {
  await expect(openWebgpuBackend({ gpu: undefined })).rejects.toMatchObject({
    code: "no-backend",
    message: expect.stringContaining("no WebGPU"),
  });
  const gpu = { requestAdapter: async () => null } as unknown as GPU; // all that is asked of it
  await expect(openWebgpuBackend({ gpu })).rejects.toMatchObject({
    code: "no-backend",
    message: expect.stringContaining("no adapter"),
  });
});
