import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ServerBackend } from "./open-backend.ts";
import type { Probe } from "./probe-backend.ts";

/** The backends to run models on, the best first, and why they stand in this order. */
export interface BackendChoice {
  readonly backends: readonly [ServerBackend, ...ServerBackend[]];
  readonly reason: string;
}

const entry = fileURLToPath(new URL("./probe-backend.js", import.meta.url));
const probeMs = 60_000;

/**
 * Tries the backends that may be better than wasm, each in a process of its own, since a broken driver may take the
 * process with it. Those that compute correctly on a GPU come first; webgpu is left out where it computes on a CPU, on
 * which it is the slowest.
 */
export async function chooseBackends(
  probe: (backend: ServerBackend) => Promise<Probe> = probeBackend,
): Promise<BackendChoice> {
  const webgpu = await probe("webgpu");
  const reason = "error" in webgpu ? webgpu.error : `webgpu computes on a ${webgpu.device.toUpperCase()} here`;
  const isGpu = "device" in webgpu && webgpu.device === "gpu";
  return { backends: isGpu ? ["webgpu", "wasm", "cpu"] : ["wasm", "cpu"], reason };
}

async function probeBackend(backend: ServerBackend): Promise<Probe> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [entry, backend], { timeout: probeMs });
    return JSON.parse(stdout.slice(stdout.lastIndexOf("\n"))) as Probe; // its last line
  } catch (thrown) {
    const { signal, message } = thrown as Error & { signal?: string }; // as execFile rejects
    return { error: `backend "${backend}" can't be tried: ${signal ? `its process was ended by ${signal}` : message}` };
  }
}
