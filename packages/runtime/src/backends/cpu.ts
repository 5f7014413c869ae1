import "@tensorflow/tfjs-backend-cpu";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";

/** Loads the backend that runs anywhere, in plain JavaScript: the last resort, and the reference in tests. */
export async function openCpuBackend(): Promise<LoadedBackend> {
  return startBackend("cpu", { testSize: 16 });
}
