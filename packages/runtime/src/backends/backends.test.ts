import { backend as currentBackend } from "@tensorflow/tfjs-core";
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

test("once WebAssembly's code breaks off, all that was in flight and all that follows is device-lost", async () => {
  const backend = await openWasmBackend();
  const { wasm } = currentBackend() as unknown as { wasm: { cwrap(...signature: unknown[]): (id: number) => void } };
  const negate = wasm.cwrap("Neg", null, ["number", "number"]);
  let goOn = () => {};
  const inFlight = backend.watch(() => new Promise<void>((resolve) => (goOn = resolve)));
  const trapping = backend.watch(async () => negate(12345)); // there is no such tensor
  await expect(trapping).rejects.toMatchObject({ code: "device-lost", message: /WebAssembly broke off/ });
  goOn();
  await expect(inFlight).rejects.toMatchObject({ code: "device-lost" });
  await expect(backend.watch(async () => 1)).rejects.toMatchObject({ code: "device-lost" });
  await backend.close();
  const again = await openWasmBackend();
  expect(await again.watch(async () => 1)).toBe(1);
  await again.close();
});
