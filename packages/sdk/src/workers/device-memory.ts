import type { DeviceMemory, TileChoices } from "@nearside/runtime/backends/webgpu";
import { measurements } from "../measurements.ts";
import { build } from "./build.ts";

const kept = measurements<TileChoices>("nearside-measurements", "devices");

/** Remembers in IndexedDB, by device and versions of browser and SDK. */
export const deviceMemory: DeviceMemory = {
  recall: (device) => kept.recall(keyOf(device)),
  remember: (device, choices) => kept.remember(keyOf(device), choices),
};

function keyOf({ vendor, architecture, device, description, isFallbackAdapter }: GPUAdapterInfo): string {
  return JSON.stringify([build, vendor, architecture, device, description, isFallbackAdapter, navigator.userAgent]);
}
