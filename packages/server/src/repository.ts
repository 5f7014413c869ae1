import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { InferenceError, type Session, toInferenceError } from "@nearside/core";
import { convertOnce } from "./convert-once.ts";
import { type ModelFolder, readModelFolder } from "./model-folder.ts";
import type { ServerEvent } from "./server-event.ts";

/** A model to serve: its name in URLs, and the folder that holds its versions. */
export interface ModelConfig {
  readonly name: string;
  /**
   * A folder with a folder per version, named by a whole number, of which the latest is served; or a folder that is
   * itself a model, served as version 1. A model is a SavedModel or a TensorFlow.js graph model.
   */
  readonly basePath: string;
}

/** Makes a session of a model's files. */
export type OpenModel = (model: string, folder: ModelFolder, signal: AbortSignal) => Promise<Session>;

/** A version of a model that can be run. */
export interface LoadedVersion {
  readonly state: "available";
  readonly version: bigint;
  readonly session: Session;
  readonly folder: ModelFolder;
}

/** A version of a model, and what has become of it. */
export type ModelVersion =
  | LoadedVersion
  | { readonly state: "loading"; readonly version: bigint }
  | { readonly state: "failed"; readonly version: bigint; readonly error: InferenceError };

/** The models of a server. */
export interface Repository {
  /** True once every model has a version that can be run. */
  readonly isReady: boolean;
  /** Loads every model; one that fails keeps its error and doesn't stop the others. */
  load(): Promise<void>;
  /** The versions of a model that are known; none for a model that isn't there. */
  versions(model: string): readonly ModelVersion[];
  /** A version that can be run, the latest by default. Throws `not-found` with TensorFlow Serving's message. */
  find(model: string, version?: bigint): LoadedVersion;
  /** Stops loading and closes all sessions, each after its runs in flight. */
  close(): Promise<void>;
}

/** How a repository loads its models. */
export interface RepositoryOptions {
  readonly openModel: OpenModel;
  /** Where converted models are kept. */
  readonly cacheDir: string;
  readonly onEvent: (event: ServerEvent) => void;
}

/** A repository of these models; nothing is read before `load`. Throws `invalid-argument` if a name comes twice. */
export function createRepository(models: readonly ModelConfig[], options: RepositoryOptions): Repository {
  const names = models.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new InferenceError("invalid-argument", `models: expected each name once, got "${twice}" twice; rename one`);
  }
  return new ModelRepository(models, options);
}

class ModelRepository implements Repository {
  readonly #models: readonly ModelConfig[];
  readonly #options: RepositoryOptions;
  readonly #versions = new Map<string, ModelVersion>();
  readonly #closing = new AbortController();
  #loading: Promise<void> | undefined;

  constructor(models: readonly ModelConfig[], options: RepositoryOptions) {
    this.#models = models;
    this.#options = options;
  }

  get isReady(): boolean {
    return this.#models.every(({ name }) => this.#versions.get(name)?.state === "available");
  }

  load(): Promise<void> {
    this.#loading ??= this.#loadAll();
    return this.#loading;
  }

  versions(model: string): readonly ModelVersion[] {
    const version = this.#versions.get(model);
    return version ? [version] : [];
  }

  find(model: string, version?: bigint): LoadedVersion {
    const found = this.versions(model).find((known) => version === undefined || known.version === version);
    if (found?.state === "available") return found;
    const wanted = version === undefined ? `Latest(${model})` : `Specific(${model}, ${version})`;
    throw new InferenceError("not-found", `Servable not found for request: ${wanted}${reason(found)}`);
  }

  async close(): Promise<void> {
    this.#closing.abort(new InferenceError("closed", "the server is closing"));
    await this.#loading;
    const versions = [...this.#versions.values()];
    await Promise.all(versions.map((version) => version.state === "available" && version.session.close()));
  }

  async #loadAll(): Promise<void> {
    for (const model of this.#models) {
      if (this.#closing.signal.aborted) return;
      await this.#loadLatest(model);
    }
  }

  async #loadLatest(model: ModelConfig): Promise<void> {
    const { onEvent } = this.#options;
    const latest = await findLatest(model).catch((error: unknown) => toInferenceError(error));
    if (latest instanceof InferenceError) {
      onEvent({ type: "no-version", model: model.name, error: latest });
      return;
    }
    const { version } = latest;
    this.#versions.set(model.name, { state: "loading", version });
    onEvent({ type: "loading", model: model.name, version });
    const startMs = performance.now();
    try {
      const loaded = await this.#open(model.name, latest.path);
      this.#versions.set(model.name, { state: "available", version, ...loaded });
      const loadMs = performance.now() - startMs;
      onEvent({ type: "available", model: model.name, version, backend: loaded.session.backend, loadMs });
    } catch (cause) {
      const error = toInferenceError(cause);
      this.#versions.set(model.name, { state: "failed", version, error });
      onEvent({ type: "failed", model: model.name, version, error });
    }
  }

  async #open(model: string, path: string): Promise<Pick<LoadedVersion, "session" | "folder">> {
    const { openModel, cacheDir } = this.#options;
    const { signal } = this.#closing;
    const converted = await convertOnce(path, { cacheDir });
    const graphModel = await readModelFolder(converted);
    const folder = converted === path ? graphModel : { ...graphModel, savedModel: { path } };
    signal.throwIfAborted();
    return { folder, session: await openModel(model, folder, signal) };
  }
}

/** The latest version below a base path, or the base path itself where that is a model. */
async function findLatest({ name, basePath }: ModelConfig): Promise<{ version: bigint; path: string }> {
  const entries = await readdir(basePath).catch((cause: unknown) => {
    const message = `model "${name}": expected a folder at ${basePath}, found none; check the base path`;
    throw new InferenceError("not-found", message, { cause });
  });
  if (entries.some((entry) => modelFiles.has(entry))) return { version: 1n, path: basePath };
  const versions: { version: bigint; path: string }[] = [];
  for (const entry of entries) {
    const path = join(basePath, entry);
    if (/^\d{1,19}$/.test(entry) && (await stat(path)).isDirectory()) versions.push({ version: BigInt(entry), path });
  }
  versions.sort((a, b) => (a.version < b.version ? 1 : -1));
  const [latest] = versions;
  if (latest) return latest;
  const expected = `a folder per version (such as ${join(basename(basePath), "1")}), saved_model.pb or model.json`;
  throw new InferenceError("not-found", `model "${name}": expected ${expected} in ${basePath}, found none of them`);
}

const modelFiles: ReadonlySet<string> = new Set(["saved_model.pb", "saved_model.pbtxt", "model.json"]);

function reason(version: ModelVersion | undefined): string {
  if (version?.state === "loading") return `: version ${version.version} is still loading`;
  return version?.state === "failed" ? `: version ${version.version} failed to load: ${version.error.message}` : "";
}
