import type { TileMemory } from "@nearside/runtime/backends/webgpu";
import { createStore, get, set } from "idb-keyval";
import { build } from "./build.ts";

/** Remembers in IndexedDB, by device and versions of browser and SDK; without storage each visit measures. */
export const tileMemory: TileMemory = {
  recall: (device) => get(keyOf(device), measurements()).catch(() => undefined),
  remember: (device, choices) =>
    set(keyOf(device), choices, measurements()).catch((error: unknown) =>
      console.warn("nearside: the browser keeps no measurements, so each visit measures again:", error),
    ),
};

function keyOf({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  return JSON.stringify([build, vendor, architecture, device, description, navigator.userAgent]);
}

function measurements() {
  return createStore("nearside-measurements", "devices");
}
