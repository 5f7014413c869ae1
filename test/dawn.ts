import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { chromium } from "playwright";

/**
 * WebGPU in this process, computed by the SwiftShader that Chromium brings: the same on every machine. Undefined where
 * there is none; `noDawn` is then the reason to skip.
 */
export async function openDawn(): Promise<GPU | undefined> {
  const folders = ["/usr/lib/chromium", "/opt/google/chrome", dirname(chromium.executablePath())];
  const driver = folders.map((folder) => join(folder, "vk_swiftshader_icd.json")).find((path) => existsSync(path));
  if (driver) process.env.VK_ICD_FILENAMES ??= driver;
  process.env.XDG_RUNTIME_DIR ??= "/tmp"; // Vulkan's loader complains where it is not set
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  return (await gpu.requestAdapter()) ? gpu : undefined;
}

export const noDawn = "WebGPU has no adapter in Node here; it takes libvulkan1 and Chromium's SwiftShader";
