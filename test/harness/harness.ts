import { sessionSuite, stateSuite } from "@nearside/core/testing";
import { cache, InferenceError, openSession, type Progress } from "nearside";
import { fromPlainTensors, type PlainTensors, toPlainTensors } from "../plain-tensors.ts";
import { firstRunCalls } from "./first-runs.ts";
import { imageCalls } from "./images.ts";
import { inputCalls } from "./inputs.ts";
import { keptSessionCalls } from "./kept-session.ts";
import { liveStreamCalls } from "./live-streams.ts";
import { runInputCalls } from "./run-inputs.ts";
import { streamCalls } from "./streams.ts";
import { type Outcome, openTarget, settle, type Target } from "./target.ts";

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

let loadedBytes = 0;

/** What the tests call in the page. */
const calls = {
  ...keptSessionCalls,
  ...inputCalls,
  ...imageCalls,
  ...runInputCalls,
  ...firstRunCalls,
  ...streamCalls,
  ...liveStreamCalls,

  /** Runs one case of the session suite on sessions that the page opens, and that may lose their worker at once. */
  suiteCase: (name: string, target: Target, golden: PlainRun, { endWorker = false } = {}) =>
    settle(
      (async () => {
        const found = sessionSuite.find((candidate) => candidate.name === name);
        if (!found) throw new Error(`no case "${name}"`);
        const run = { inputs: fromPlainTensors(golden.inputs), outputs: fromPlainTensors(golden.outputs) };
        const open = async () => {
          const session = await openTarget(target);
          if (endWorker) keptSessionCalls.endWorker();
          return session;
        };
        await found.run(open, run);
        return null;
      })(),
    ),

  /** Runs one case of the suite of states, on sessions that the page opens. */
  stateCase: (name: string, target: Target) =>
    settle(
      (async () => {
        const found = stateSuite.find((candidate) => candidate.name === name);
        if (!found) throw new Error(`no case "${name}"`);
        await found.run(() => openTarget(target));
        return null;
      })(),
    ),

  /** Opens a session, runs it once and closes it. */
  openAndRun: (target: Target, inputs: PlainTensors): Promise<Outcome<RunReport>> =>
    settle(
      (async () => {
        const progress: Progress[] = [];
        const onProgress = (step: Progress) => {
          progress.push(step);
          loadedBytes = step.loadedBytes;
        };
        const session = await openTarget(target, { onProgress });
        try {
          const outputs = toPlainTensors(await session.run(fromPlainTensors(inputs)));
          return { backend: session.backend, location: session.location, outputs, progress };
        } finally {
          await session.close();
        }
      })(),
    ),

  /** Runs each of these in order on one session; so often before, unless it keeps values from run to run. */
  openAndRunAll: (
    target: Target,
    runs: readonly PlainTensors[],
    runsBefore = 0,
  ): Promise<Outcome<readonly PlainTensors[]>> =>
    settle(
      (async () => {
        const session = await openTarget(target);
        try {
          const outputs: PlainTensors[] = [];
          for (const inputs of runs) {
            const tensors = fromPlainTensors(inputs);
            for (let run = session.keepsState ? runsBefore : 0; run < runsBefore; run++) await session.run(tensors);
            outputs.push(toPlainTensors(await session.run(tensors)));
          }
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
        const session = await openTarget(target);
        try {
          const tensors = fromPlainTensors(inputs);
          const outputs = toPlainTensors(await session.run(tensors, { transfer: true }));
          return { outputs, left: Object.values(tensors).map(({ data }) => data.length) };
        } finally {
          await session.close();
        }
      })(),
    ),

  /** How many bytes the page has of the model that openAndRun opens. */
  loadedBytes: () => loadedBytes,

  cachedModels: async () => (await cache.models()).map(({ url, bytes }) => ({ path: new URL(url).pathname, bytes })),
  removeCached: (url: string) => cache.remove(url),
  clearCache: () => cache.clear(),

  /** Changes a byte of each shard in the SDK's cache, as a disk might. */
  damageCache: () =>
    withShards("readwrite", async (store) => {
      for (const key of await settled(store.getAllKeys())) {
        const bytes = new Uint8Array(await settled<ArrayBuffer>(store.get(key)));
        bytes[0] = (bytes[0] ?? 0) ^ 1;
        await settled(store.put(bytes.buffer, key));
      }
    }),

  /** Where the recorded runs of the cached models were checked. */
  provenAt: async (): Promise<readonly unknown[]> => {
    const database = await settled(indexedDB.open("nearside-models"));
    try {
      const models = await settled(database.transaction("models").objectStore("models").getAll());
      return models.map(({ provenAt }) => provenAt);
    } finally {
      database.close();
    }
  },

  /** The keys in the SDK's cache. */
  cachedKeys: async (): Promise<string[]> => {
    const found = await indexedDB.databases();
    if (!found.some(({ name }) => name === "nearside")) return [];
    return withShards("readonly", async (store) => (await settled(store.getAllKeys())).map(String));
  },
};

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function withShards<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => Promise<T>): Promise<T> {
  const database = await settled(indexedDB.open("nearside"));
  try {
    return await use(database.transaction("shards", mode).objectStore("shards"));
  } finally {
    database.close();
  }
}

export type Harness = typeof calls;

declare global {
  var harness: Harness;
}
globalThis.harness = calls;
