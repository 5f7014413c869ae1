import { InferenceError } from "@nearside/core";
import type { LoadedBackend } from "@nearside/runtime";
import { nativeKernels } from "./tensorflow/native-kernels.ts";
import { loadTensorflowPackage } from "./tensorflow/tensorflow-package.ts";

/** The backends that run in Node. */
export const serverBackends = ["tensorflow", "webgpu", "wasm", "cpu"] as const;

/** The name of a backend that runs in Node. */
export type ServerBackend = (typeof serverBackends)[number];

// TensorFlow.js has one engine, with one current backend, per process; so whoever opens a backend here shares it.
let shared: { name: ServerBackend; loaded: Promise<LoadedBackend>; users: number } | undefined;

/**
 * Loads a backend in this process, or shares the one that is loaded; it is freed when its last user closes it.
 * Rejects with `no-backend` if it can't run here, `unsupported` while another backend is in use.
 */
export async function openBackend(name: ServerBackend): Promise<LoadedBackend> {
  if (shared && shared.name !== name) {
    const advice = "close what uses it first, or use another process";
    throw new InferenceError("unsupported", `backend "${name}": this process runs on "${shared.name}"; ${advice}`);
  }
  shared ??= { name, loaded: loadBackend(name), users: 0 };
  const used = shared;
  used.users++;
  const loaded = await used.loaded.catch((error: unknown) => {
    if (shared === used) shared = undefined;
    throw error;
  });
  let closing: Promise<void> | undefined;
  const close = async () => {
    used.users--;
    if (used.users > 0) return;
    if (shared === used) shared = undefined;
    await loaded.close();
  };
  return {
    ...loaded,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** How each backend is loaded; imported on demand, because each brings its kernels along. */
const loaders: { readonly [B in ServerBackend]: () => Promise<LoadedBackend> } = {
  tensorflow: async () => {
    const createBackend = nativeKernels(loadTensorflowPackage());
    return (await import("@nearside/runtime/backends/tensorflow")).openTensorflowBackend({ createBackend });
  },
  wasm: async () => (await import("@nearside/runtime/backends/wasm")).openWasmBackend(),
  cpu: async () => (await import("@nearside/runtime/backends/cpu")).openCpuBackend(),
  webgpu: async () => {
    const gpu = await createGpu();
    return (await import("@nearside/runtime/backends/webgpu")).openWebgpuBackend({ gpu });
  },
};

function loadBackend(name: ServerBackend): Promise<LoadedBackend> {
  if (Object.hasOwn(loaders, name)) return loaders[name]();
  const names = serverBackends.join(", ");
  return Promise.reject(new InferenceError("invalid-argument", `backend: expected one of ${names}, got "${name}"`));
}

/** WebGPU for Node, from the optional package `webgpu`: one for the process, which must outlive its devices. */
async function createGpu(): Promise<GPU> {
  if (globalThis.navigator?.gpu) return navigator.gpu; // where the backend puts the first
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    return create([]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `backend "webgpu" cannot run here: the package "webgpu" does not load (${reason}); npm install webgpu`;
    throw new InferenceError("no-backend", message, { cause });
  }
}

/** Whether WebGPU computes on a CPU here, which is right but slow. */
export async function isSoftwareGpu(): Promise<boolean> {
  const adapter = await (await createGpu()).requestAdapter({ powerPreference: "high-performance" });
  const { vendor, architecture, device, description } = adapter?.info ?? {};
  return /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(
    [vendor, architecture, device, description].join(" "),
  );
}
