import { InferenceError } from "@nearside/core";

/** Kinds of errors that a device reports, the first of which is likely to have caused the others. */
const filters = ["out-of-memory", "validation", "internal"] as const;

/** A run that isn't over, and what the device reported meanwhile. */
interface Watched {
  fault?: InferenceError;
}

export interface DeviceWatch {
  /** Runs something, and rejects if its results are worth nothing. */
  watch<T>(run: () => Promise<T>): Promise<T>;
  /** Throws `device-lost` if the device is gone. */
  throwIfLost(): void;
}

/**
 * Watches a device. What it runs is rejected if its results are worth nothing: with `device-lost` if the device was
 * lost, `out-of-memory`, or `internal` for whatever else the device reported, such as a shader that doesn't compile.
 * TensorFlow.js returns what was in the buffer before. Nothing tells whose fault it was where runs overlap, so each that
 * was in flight is rejected.
 */
export function watchDevice(device: GPUDevice): DeviceWatch {
  let loss: string | undefined;
  void device.lost.then(({ message }) => {
    loss = message || "no reason given";
  });
  const throwIfLost = () => {
    if (loss !== undefined) throw deviceLost(loss);
  };
  const inFlight = new Set<Watched>();
  const beginRecording = () => {
    for (const filter of filters) device.pushErrorScope(filter);
  };

  /** Ends the recording, of which a device has one, and begins another for the runs that are left. */
  async function finish(watched: Watched): Promise<void> {
    const concerned = [...inFlight];
    const scopes = filters.map(() => device.popErrorScope()).reverse(); // the last one pushed is the first one popped
    inFlight.delete(watched);
    if (inFlight.size > 0) beginRecording();
    const fault = await firstFault(scopes);
    if (fault) for (const each of concerned) each.fault ??= fault;
  }

  async function watch<T>(run: () => Promise<T>): Promise<T> {
    throwIfLost();
    const watched: Watched = {};
    if (inFlight.size === 0) beginRecording();
    inFlight.add(watched);
    const [outcome] = await Promise.allSettled([run()]);
    await finish(watched);
    throwIfLost(); // which a device tells before it answers
    if (watched.fault) throw watched.fault;
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }
  return { watch, throwIfLost };
}

/** The error to report of those that the scopes recorded, in the order of {@link filters}. */
async function firstFault(scopes: readonly Promise<GPUError | null>[]): Promise<InferenceError | undefined> {
  const errors = await Promise.allSettled(scopes);
  const index = errors.findIndex((error) => error.status === "rejected" || error.value !== null);
  const error = errors[index];
  if (!error) return undefined;
  if (error.status === "rejected") return deviceLost(String(error.reason)); // it no longer answers
  const reason = (error.value as GPUError).message; // found because it isn't null
  if (filters[index] !== "out-of-memory") return new InferenceError("internal", `the device failed: ${reason}`);
  return new InferenceError("out-of-memory", `the device has too little memory: ${reason}; run smaller inputs`);
}

function deviceLost(reason: string): InferenceError {
  return new InferenceError("device-lost", `the device was lost: ${reason}; open the session again`);
}
