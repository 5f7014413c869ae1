import { describe, expect, test } from "vitest";
import { openDawn } from "../../testing/open-dawn.ts";
import { currentDevice } from "../plan/device.ts";
import type { TileChoices } from "../products/tile-choice.ts";
import { openWebgpuBackend, type TileMemory } from "./webgpu.ts";

const gpu = await openDawn();

/** The same device, as if it were not one of software, on which nothing is measured. */
const hardware = {
  async requestAdapter(options?: GPURequestAdapterOptions) {
    const adapter = (await gpu?.requestAdapter(options)) as GPUAdapter;
    const { vendor, architecture, device, description } = adapter.info;
    const info = { vendor, architecture, device, description, isFallbackAdapter: false };
    return new Proxy(adapter, {
      get(target, name) {
        const value = name === "info" ? info : Reflect.get(target, name, target);
        return value instanceof Function ? value.bind(target) : value;
      },
    });
  },
} as GPU;

describe.skipIf(gpu === undefined)("a memory of tiles", () => {
  test("is told once what was measured on a device, and asked after that", async () => {
    const remembered: { readonly architecture: string; readonly choices: TileChoices }[] = [];
    const tileMemory: TileMemory = {
      recall: async () => remembered[0]?.choices,
      remember: async ({ architecture }, choices) => void remembered.push({ architecture, choices }),
    };
    for (let time = 0; time < 2; time++) {
      const backend = await openWebgpuBackend({ gpu: hardware, tileMemory });
      expect(remembered).toMatchObject([{ architecture: "swiftshader" }]);
      expect(Object.keys(remembered[0]?.choices ?? {})).toContain("matrix vector");
      expect(currentDevice().backend).toMatchObject({ tileChoices: remembered[0]?.choices });
      await backend.close();
    }
  });
});
