import { existsSync } from "node:fs";

/** Vulkan on the CPU, as Debian's Chromium brings it along: it computes the same on every machine. */
const swiftshader = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** Why a test is skipped where there is none. */
export const noDawn = "WebGPU has no adapter in Node here";

/**
 * WebGPU in Node, by Dawn; undefined where the package `webgpu` doesn't load or finds no adapter, and then says so.
 * `flags` are Dawn's: `backend=null` takes shaders of all features and computes nothing.
 */
export async function openDawn(flags: readonly string[] = []): Promise<GPU | undefined> {
  process.env.VK_ICD_FILENAMES ??= existsSync(swiftshader) ? swiftshader : "";
  process.env.XDG_RUNTIME_DIR ??= "/tmp"; // Vulkan's loader complains without one
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    const gpu = create([...flags]);
    if (await gpu.requestAdapter()) return gpu;
    console.log("no WebGPU in Node: no adapter");
  } catch (error) {
    console.log(`no WebGPU in Node: ${error instanceof Error ? error.message : error}`);
  }
  return undefined;
}
