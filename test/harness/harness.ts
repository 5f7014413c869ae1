import { sessionSuite } from "@nearside/core/testing";
import { connectSession, InferenceError, type OpenOptions, openSession, type Progress, type Session } from "nearside";
import { fromPlainTensors, type PlainTensors, toPlainTensors } from "../plain-tensors.ts";

/** Which session a test in the page is about. */
export type Target =
  | { readonly open: string; readonly options?: Pick<OpenOptions, "backend" | "cache" | "fallback" | "warmUp"> }
  | { readonly connect: string; readonly model: string };

export interface PlainRun {
  readonly inputs: PlainTensors;
  readonly outputs: PlainTensors;
}

export interface RunReport {
  readonly backend: string;
  readonly location: string;
  readonly outputs: PlainTensors;
  readonly progress: readonly Progress[];
}

export type Outcome<T> =
  | { readonly value: T }
  | { readonly error: { readonly code: string; readonly message: string } };

const open = (target: Target, onProgress?: (progress: Progress) => void): Promise<Session> =>
  "open" in target
    ? openSession(target.open, { ...target.options, ...(onProgress && { onProgress }) })
    : connectSession(target.connect, target.model);

async function settle<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    const code = error instanceof InferenceError ? error.code : "not an InferenceError";
    return { error: { code, message: String(error) } };
  }
}

/** What the tests call in the page. */
const calls = {
  /** Runs one case of the session suite on a session that the page opens. */
  suiteCase: (name: string, target: Target, golden: PlainRun) =>
    settle(
      (async () => {
        const found = sessionSuite.find((candidate) => candidate.name === name);
        if (!found) throw new Error(`no case "${name}"`);
        const run = { inputs: fromPlainTensors(golden.inputs), outputs: fromPlainTensors(golden.outputs) };
        await found.run(() => open(target), run);
        return null;
      })(),
    ),

  /** Opens a session, runs it once and closes it. */
  openAndRun: (target: Target, inputs: PlainTensors): Promise<Outcome<RunReport>> =>
    settle(
      (async () => {
        const progress: Progress[] = [];
        const session = await open(target, (step) => progress.push(step));
        try {
          const outputs = toPlainTensors(await session.run(fromPlainTensors(inputs)));
          return { backend: session.backend, location: session.location, outputs, progress };
        } finally {
          await session.close();
        }
      })(),
    ),

  /** Runs each of these in order on one session, which may keep values from run to run. */
  openAndRunAll: (target: Target, runs: readonly PlainTensors[]): Promise<Outcome<readonly PlainTensors[]>> =>
    settle(
      (async () => {
        const session = await open(target);
        try {
          const outputs: PlainTensors[] = [];
          for (const inputs of runs) outputs.push(toPlainTensors(await session.run(fromPlainTensors(inputs))));
          return outputs;
        } finally {
          await session.close();
        }
      })(),
    ),

  /** Starts to open a session and takes it back at the first sign of progress. */
  openAndAbort: (target: Extract<Target, { open: string }>) => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(new InferenceError("cancelled", "the test took it back"));
    return settle(
      openSession(target.open, { ...target.options, signal: controller.signal, onProgress }).then(() => null),
    );
  },

  /** Runs with `transfer`, and tells how many elements of each input are left here. */
  runAndTransfer: (target: Target, inputs: PlainTensors) =>
    settle(
      (async () => {
        const session = await open(target);
        try {
          const tensors = fromPlainTensors(inputs);
          const outputs = toPlainTensors(await session.run(tensors, { transfer: true }));
          return { outputs, left: Object.values(tensors).map(({ data }) => data.length) };
        } finally {
          await session.close();
        }
      })(),
    ),

  /** The keys in the SDK's cache. */
  cachedKeys: async (): Promise<string[]> => {
    const found = await indexedDB.databases();
    if (!found.some(({ name }) => name === "nearside")) return [];
    return new Promise((resolve, reject) => {
      const opening = indexedDB.open("nearside");
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const keys = opening.result.transaction("shards").objectStore("shards").getAllKeys();
        keys.onerror = () => reject(keys.error);
        keys.onsuccess = () => {
          opening.result.close();
          resolve(keys.result.map(String));
        };
      };
    });
  },
};

export type Harness = typeof calls;

declare global {
  var harness: Harness;
}
globalThis.harness = calls;
