import {
  type AnyModel,
  InferenceError,
  type ModelTypes,
  type Opener,
  type Session,
  sampleInputs,
  type Tensors,
} from "@nearside/core";
import { manifestOf } from "./download/manifest-of.ts";
import { measurements } from "./measurements.ts";
import type { ModelSource } from "./model-source.ts";
import type { LocalBackend } from "./worker-scripts.ts";

/** The backends that compete; cpu is slower than any. */
const candidates = ["webgpu", "webgl", "wasm"] as const;

const warmUpRuns = 2;
const measuredRuns = 5;

export interface FastestOptions<M extends ModelTypes> {
  /** By the hash of whose `model.json` the choice is remembered. */
  readonly source: ModelSource;
  readonly openOn: (backend: LocalBackend) => Opener<M>;
  readonly signal: AbortSignal | undefined;
}

/**
 * The ways to open a model here, the fastest backend first: each is opened and measured on the model itself, and the
 * choice is remembered for this model, device and version of the browser. Where the model can't be tried, for a
 * dimension of its inputs is free, the order is that of {@link candidates}.
 */
export async function fastestFirst<M extends ModelTypes = AnyModel>({
  source,
  openOn,
  signal,
}: FastestOptions<M>): Promise<readonly Opener<M>[]> {
  const key = await keyOf(await manifestOf(source, signal), source.request.precision);
  const choices = measurements<readonly LocalBackend[]>("nearside-choices", "backends");
  const known = await choices.recall(key);
  const { order, opened } = known ? { order: known, opened: undefined } : await measureAll(openOn, signal);
  if (!known && order.length > 0) await choices.remember(key, order);
  const openers = [...order, "cpu" as const].map(openOn);
  const [first, ...rest] = openers;
  if (!opened || !first) return openers;
  let isTaken = false;
  const openFirst: Opener<M> = (given) => {
    if (isTaken) return first(given);
    isTaken = true;
    return Promise.resolve(opened); // it was measured, and is open still
  };
  return [openFirst, ...rest];
}

/** Measures one backend after the other, and leaves the fastest open. */
async function measureAll<M extends ModelTypes>(openOn: FastestOptions<M>["openOn"], signal: AbortSignal | undefined) {
  const results: { readonly backend: LocalBackend; readonly ms: number }[] = [];
  let fastest: { readonly session: Session<M>; readonly ms: number } | undefined;
  try {
    for (const backend of candidates) {
      const session = await openOrRefuse(openOn(backend), signal);
      if (!session) continue;
      const ms = await measure(session as unknown as Session, signal).catch(async (error: unknown) => {
        await session.close();
        throw error;
      });
      results.push({ backend, ms });
      const slower = fastest && fastest.ms <= ms ? session : fastest?.session;
      if (!fastest || ms < fastest.ms) fastest = { session, ms };
      await slower?.close();
    }
  } catch (error) {
    await fastest?.session.close();
    throw error;
  }
  results.sort((a, b) => a.ms - b.ms); // it is stable: the same where nothing could be measured
  return { order: results.map(({ backend }) => backend), opened: fastest?.session };
}

/** Undefined where this backend can't run the model. */
async function openOrRefuse<M extends ModelTypes>(open: Opener<M>, signal: AbortSignal | undefined) {
  try {
    return await open(signal);
  } catch (error) {
    if (error instanceof InferenceError && refusals.has(error.code)) return undefined;
    throw error;
  }
}

const refusals: ReadonlySet<string> = new Set(["no-backend", "device-lost", "out-of-memory"]);

/** The median milliseconds of a warm run, as the page sees it; 0 where the model can't be tried. */
async function measure(session: Session, signal: AbortSignal | undefined): Promise<number> {
  const inputs = sampleInputs(session.signature);
  if (!inputs || session.keepsState) return 0; // to run it would change what it keeps
  const times: number[] = [];
  for (let run = -warmUpRuns; run < measuredRuns; run++) {
    const startMs = performance.now();
    if (!(await runOrGiveUp(session, inputs, signal))) return 0;
    if (run >= 0) times.push(performance.now() - startMs);
  }
  return times.sort((a, b) => a - b)[measuredRuns >> 1] as number; // there are so many
}

/** False where the sample is nothing that the model can compute. */
async function runOrGiveUp(session: Session, inputs: Tensors, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await session.run(inputs, signal ? { signal } : {});
    return true;
  } catch (error) {
    if (error instanceof InferenceError && error.code === "invalid-argument") return false;
    throw error;
  }
}

/** What the choice depends on: the model, how it is computed, the device, the browser. */
async function keyOf(manifest: string, precision: string | undefined): Promise<string> {
  const adapter = await navigator.gpu?.requestAdapter();
  const { vendor, architecture, device, description } = adapter?.info ?? {};
  const place = [vendor, architecture, device, description, navigator.hardwareConcurrency, navigator.userAgent];
  const bytes = new TextEncoder().encode(JSON.stringify([manifest, precision, ...place]));
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
