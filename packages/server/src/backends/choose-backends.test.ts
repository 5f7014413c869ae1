import { expect, test } from "vitest";
import { chooseBackends } from "./choose-backends.ts";
import type { Probe } from "./probe-backend.ts";

const gpu = { device: "gpu" } as const;
const cpu = { device: "cpu" } as const;
const none = { error: "no adapter" };

test.each<[string, Probe, Probe, string[], string]>([
  [
    "takes TensorFlow on a GPU before WebGPU",
    gpu,
    gpu,
    ["tensorflow", "webgpu", "wasm", "cpu"],
    '"webgpu" computes on a GPU',
  ],
  ["takes WebGPU on a GPU before TensorFlow on the CPU", cpu, gpu, ["webgpu", "tensorflow", "wasm", "cpu"], "on a CPU"],
  [
    "takes TensorFlow on the CPU, and no WebGPU there",
    cpu,
    cpu,
    ["tensorflow", "wasm", "cpu"],
    '"webgpu" computes on a CPU',
  ],
  ["takes wasm where neither can run, and says why", none, none, ["wasm", "cpu"], "no adapter"],
])("chooseBackends %s", async (_what, tensorflow, webgpu, backends, reason) => {
  const choice = await chooseBackends(async (backend) => (backend === "tensorflow" ? tensorflow : webgpu));
  expect(choice.backends).toEqual(backends);
  expect(choice.reason).toContain(reason);
});
