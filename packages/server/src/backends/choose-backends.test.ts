import { expect, test } from "vitest";
import { chooseBackends } from "./choose-backends.ts";

test.each([
  ["takes WebGPU on a GPU", { device: "gpu" }, "webgpu", "on a GPU"],
  ["leaves WebGPU on a CPU", { device: "cpu" }, "wasm", "on a CPU"],
  ["leaves WebGPU where it can't run, and says why", { error: "no adapter" }, "wasm", "no adapter"],
] as const)("chooseBackends %s", async (_what, webgpu, best, reason) => {
  const choice = await chooseBackends(async () => webgpu);
  expect(choice.backends[0]).toBe(best);
  expect(choice.reason).toContain(reason);
});
