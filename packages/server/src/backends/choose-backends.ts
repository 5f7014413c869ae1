import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ServerBackend } from "./open-backend.ts";
import type { Probe } from "./probe-backend.ts";

/** The backends to run models on, the best first, and why they stand in this order. */
export interface BackendChoice {
  readonly backends: readonly ServerBackend[];
  readonly reason: string;
}

const entry = fileURLToPath(new URL("./probe-backend.js", import.meta.url));
const probeMs = 60_000;

/**
 * Tries the backends that may be better than wasm, each in a process of its own, since a broken driver may take the
 * process with it. Those that compute correctly on a GPU come first, TensorFlow before WebGPU; then TensorFlow on the
 * CPU, wasm and cpu. WebGPU is left out where it computes on a CPU, on which it is the slowest.
 */
export async function chooseBackends(
  probe: (backend: ServerBackend) => Promise<Probe> = probeBackend,
): Promise<BackendChoice> {
  const tried = ["tensorflow", "webgpu"] as const;
  const probes = await Promise.all(tried.map(async (backend) => ({ backend, probe: await probe(backend) })));
  const onDevice = (device: "gpu" | "cpu") =>
    probes.filter(({ probe }) => "device" in probe && probe.device === device).map(({ backend }) => backend);
  const native = onDevice("cpu").filter((name) => name === "tensorflow");
  const backends: ServerBackend[] = [...onDevice("gpu"), ...native, "wasm", "cpu"];
  const reason = probes.map(({ backend, probe }) =>
    "error" in probe ? probe.error : `backend "${backend}" computes on a ${probe.device.toUpperCase()} here`,
  );
  return { backends, reason: reason.join("; ") };
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
