import { encodeMetadata, InferenceError, type SessionMetadata, type Tensors } from "@nearside/core";
import { defaultSignature, type LoadedModel, type LoadedSignature } from "../repository/load-version.ts";
import type { Repository } from "../repository/repository.ts";
import type { RunDuration } from "../repository/run-statistics.ts";
import type { InferParameters } from "./infer-request.ts";

/** A model and, as text, one of its versions; no version or an empty one is the latest. */
export interface NamedModel {
  readonly name: string;
  readonly version?: string | undefined;
}

/** The extensions of the protocol that the server has. */
export const extensions = ["binary_tensor_data", "model_repository", "statistics", "schedule_policy"] as const;

/** What the protocol says of a model. */
export interface ModelMetadata extends SessionMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
}

/** The version, or an error: `unavailable` while it is loading or where it failed to load, else `not-found`. */
export function findModel(repository: Repository, { name, version }: NamedModel): LoadedModel {
  const wanted = parseVersion(version);
  const known = repository.versions(name).filter((each) => wanted === undefined || each.version === wanted);
  const loaded = known.find((each) => each.loaded)?.loaded;
  if (loaded) return loaded;
  const model = `model "${name}"${wanted === undefined ? "" : ` version ${wanted}`}`;
  const [latest] = known;
  if (latest?.error) throw new InferenceError("unavailable", `${model} failed to load: ${latest.error.message}`);
  const isComing = latest?.state === "start" || latest?.state === "loading";
  if (isComing) throw new InferenceError("unavailable", `${model} is ${latest.state}; try again`);
  throw new InferenceError("not-found", `${model} is not on this server`);
}

/** The model's metadata; `versions` are all that can be run. */
export function modelMetadata(repository: Repository, model: NamedModel): ModelMetadata {
  const { session } = defaultSignature(findModel(repository, model));
  const versions = repository.versions(model.name).filter(({ loaded }) => loaded);
  return {
    name: model.name,
    versions: versions.map(({ version }) => String(version)),
    platform: `nearside_${session.backend}`,
    ...encodeMetadata(session),
  };
}

/** What an infer call asks, however it came. */
export interface InferCall {
  readonly inputs: Tensors;
  readonly outputs: readonly string[] | undefined;
  readonly parameters: InferParameters;
}

/**
 * Runs a model's default signature on what `read` makes of the request for it. Rejects as {@link findModel} throws, and
 * with `deadline-exceeded` after the request's `timeout`, which is in microseconds. Its `priority` counts where runs wait
 * for a batch.
 */
export async function infer<C extends InferCall>(
  repository: Repository,
  model: NamedModel,
  read: (signature: LoadedSignature) => C | Promise<C>,
  signal: AbortSignal,
): Promise<{ readonly call: C; readonly outputs: Tensors; readonly version: bigint }> {
  const { version } = findModel(repository, model);
  return repository.use({ name: model.name, version }, async (loaded) => {
    const signature = defaultSignature(loaded);
    const call = await read(signature);
    refuseSequences(call.parameters);
    const { inputs, outputs, parameters } = call;
    const priority = priorityOf(parameters);
    const options = { signal: withTimeout(signal, parameters), priority, ...(outputs && { outputs }) };
    return { call, version, outputs: await signature.session.run(inputs, options) };
  });
}

/** Requests of a sequence belong to a client's state, of which the server keeps none. */
function refuseSequences(parameters: InferParameters): void {
  const id = parameters.get("sequence_id");
  if (id === undefined || id === "" || Number(id) === 0) return;
  throw new InferenceError("unsupported", "sequence_id: the server keeps no state of its clients; leave it out");
}

function priorityOf(parameters: InferParameters): number {
  const priority = parameters.get("priority") ?? 0;
  if (/^\d{1,15}$/.test(String(priority))) return Number(priority);
  throw new InferenceError("invalid-argument", `priority: expected a whole number from 0, got ${priority}`);
}

function withTimeout(signal: AbortSignal, parameters: InferParameters): AbortSignal {
  const timeoutMs = Number(parameters.get("timeout") ?? 0) / 1000;
  if (!(timeoutMs > 0)) return signal;
  const late = new AbortController();
  const message = `the request's timeout of ${timeoutMs} ms is over`;
  const timer = setTimeout(() => late.abort(new InferenceError("deadline-exceeded", message)), timeoutMs);
  timer.unref();
  return AbortSignal.any([signal, late.signal]);
}

/** The states of a version in the words of the repository extension. */
const indexStates = {
  start: "LOADING",
  loading: "LOADING",
  available: "READY",
  unloading: "UNLOADING",
  end: "UNAVAILABLE",
} as const;

/** All versions of all models, or those that can be run. */
export function repositoryIndex(repository: Repository, { onlyReady }: { readonly onlyReady: boolean }) {
  return repository.models.flatMap((name) => {
    const versions = repository.versions(name).filter(({ loaded }) => loaded || !onlyReady);
    return versions.map(({ version, state, error }) => ({
      name,
      version: String(version),
      state: indexStates[state],
      reason: error?.message ?? (state === "end" ? "unloaded" : ""),
    }));
  });
}

/** What was run: of all models, of one, or of one version. Throws as {@link findModel} where that is named. */
export function modelStatistics(repository: Repository, model: Partial<NamedModel>) {
  const { name, version } = model;
  if (name) findModel(repository, { name, version });
  const wanted = parseVersion(version);
  return (name ? [name] : repository.models).flatMap((each) => {
    const versions = repository.versions(each).filter((known) => wanted === undefined || known.version === wanted);
    return versions.flatMap(({ loaded }) => (loaded ? [statisticsOf(each, loaded)] : []));
  });
}

function statisticsOf(name: string, { version, statistics }: LoadedModel) {
  const { success, fail, compute, inferenceCount, lastInferenceMs } = statistics;
  const queueNs = Math.max(0, success.nanoseconds + fail.nanoseconds - compute.nanoseconds);
  const count = success.count + fail.count;
  return {
    name,
    version: String(version),
    lastInference: BigInt(lastInferenceMs),
    inferenceCount: BigInt(inferenceCount),
    executionCount: BigInt(compute.count),
    inferenceStats: {
      success: toDuration(success),
      fail: toDuration(fail),
      queue: toDuration({ count, nanoseconds: queueNs }),
      computeInput: toDuration({ count: 0, nanoseconds: 0 }), // inputs and outputs are not told from the run
      computeInfer: toDuration(compute),
      computeOutput: toDuration({ count: 0, nanoseconds: 0 }),
    },
  };
}

function toDuration({ count, nanoseconds }: RunDuration) {
  return { count: BigInt(count), ns: BigInt(nanoseconds) };
}

function parseVersion(version: string | undefined): bigint | undefined {
  if (version === undefined || version === "") return undefined;
  if (/^\d{1,19}$/.test(version)) return BigInt(version);
  throw new InferenceError("invalid-argument", `version: expected a whole number, got ${version}`);
}
