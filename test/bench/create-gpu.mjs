/** WebGPU: that of the platform where it has one (Deno), else Dawn's by the package `webgpu`. */
export async function createGpu() {
  if (globalThis.navigator?.gpu) return navigator.gpu;
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  return create([]);
}
