import { describe, expect, test } from "vitest";
import { openDawn } from "../../testing/open-dawn.ts";
import { currentDevice } from "../plan/device.ts";
import type { TileChoices } from "../products/tile-choice.ts";
import { type DeviceMemory, openWebgpuBackend } from "./webgpu.ts";

const gpu = await openDawn();

interface Changes {
  readonly isFallbackAdapter?: boolean;
  onDevice?(device: GPUDevice): void;
}

/** The same devices, which may say that they are not of software, on which nothing is measured, and be watched. */
function changed({ isFallbackAdapter = true, onDevice }: Changes): GPU {
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = (await gpu?.requestAdapter(options)) as GPUAdapter;
    const { vendor, architecture, device, description } = adapter.info;
    const info = { vendor, architecture, device, description, isFallbackAdapter };
    const requestDevice = async (descriptor?: GPUDeviceDescriptor) => {
      const device = await adapter.requestDevice(descriptor);
      onDevice?.(device);
      return device;
    };
    return { info, requestDevice, limits: adapter.limits, features: adapter.features };
  };
  return { requestAdapter } as unknown as GPU; // all of it that is asked for
}

interface Remembered {
  readonly architecture: string;
  readonly choices: TileChoices;
}

function remember(remembered: Remembered[]): DeviceMemory {
  return {
    recall: async () => remembered[0]?.choices,
    remember: async ({ architecture }, choices) => void remembered.push({ architecture, choices }),
  };
}

describe.skipIf(gpu === undefined)("a memory of devices", () => {
  test("is told once what was measured on a device, and asked after that", async () => {
    const remembered: Remembered[] = [];
    for (let time = 0; time < 2; time++) {
      const backend = await openWebgpuBackend({
        gpu: changed({ isFallbackAdapter: false }),
        deviceMemory: remember(remembered),
      });
      expect(remembered).toMatchObject([{ architecture: "swiftshader" }]);
      expect(Object.keys(remembered[0]?.choices ?? {})).toContain("matrix vector");
      expect(currentDevice().backend).toMatchObject({ tileChoices: remembered[0]?.choices });
      await backend.close();
    }
  });

  test("spares the test of a device that it knows, also of one of software", async () => {
    const remembered: Remembered[] = [];
    let pipelines = 0;
    const watched = changed({
      onDevice(device) {
        const make = device.createComputePipeline.bind(device);
        device.createComputePipeline = (descriptor) => {
          pipelines++;
          return make(descriptor);
        };
      },
    });
    await (await openWebgpuBackend({ gpu: watched, deviceMemory: remember(remembered) })).close();
    expect(remembered).toMatchObject([{ choices: {} }]);
    expect(pipelines).toBe(1);
    await (await openWebgpuBackend({ gpu: watched, deviceMemory: remember(remembered) })).close();
    expect(pipelines).toBe(1);
    expect(remembered).toHaveLength(1);
  });
});
