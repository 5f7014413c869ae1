import { InferenceError, toInferenceError } from "@nearside/core";
import type { LoadedModel, LoadOptions } from "./load-version.ts";
import { checkModelConfigs, isAddress, type ModelConfig } from "./model-config.ts";
import { RemoteModels } from "./remote-models.ts";
import type { RepositoryOptions } from "./repository-options.ts";
import { type ModelVersion, ServedModel } from "./served-model.ts";
import { findVersions, noVersionError, type VersionFolders } from "./version-folders.ts";

/** Which version of which model a request wants: a number, a label, or else the latest. */
export interface ModelSpec {
  readonly name: string;
  readonly version?: bigint | undefined;
  readonly label?: string | undefined;
}

/** The models of a server. */
export interface Repository {
  /** True once every model has a version that can be run, until {@link drain} or {@link close}. */
  readonly isReady: boolean;
  /** Whether no more requests are to come. Those that do are served. */
  readonly isDraining: boolean;
  /** The names of the models that are served, and of those that were. */
  readonly models: readonly string[];
  /** Loads these models, or those it was made with; resolves when each was loaded or has failed once, which stops no other. */
  load(models?: readonly ModelConfig[]): Promise<void>;
  /** Looks at the base paths again, and loads and unloads what changed there. */
  poll(): Promise<void>;
  /**
   * Serves these models in place of all others. Rejects where one can't be, and leaves the others as they are to be:
   * `invalid-argument` for models that can't be served together, before anything changed; the error of the first that
   * has no version that can be run; `failed-precondition` for a label of a version that isn't there.
   */
  reload(models: readonly ModelConfig[]): Promise<void>;
  /** Loads one of the models, after {@link unload}, or looks at its base path again. Rejects with `not-found`, or why not. */
  loadModel(name: string): Promise<void>;
  /** Unloads a model; it is not loaded again before {@link loadModel} or a reload says so. */
  unloadModel(name: string): Promise<void>;
  /** The versions of a model that are known, the highest first; none for a model that isn't there. */
  versions(model: string): readonly ModelVersion[];
  /** A version that can be run. Throws with TensorFlow Serving's messages: `not-found`, or for labels `invalid-argument`. */
  find(spec: ModelSpec): LoadedModel;
  /** Runs `work` on a version that can be run, which is not unloaded before it is over. Rejects as {@link find} throws. */
  use<T>(spec: ModelSpec, work: (loaded: LoadedModel) => Promise<T>): Promise<T>;
  /** Counts as not ready from now on, so that clients go elsewhere, and serves all who come. */
  drain(): void;
  /** Stops loading and closes all sessions, each after the requests that use it. */
  close(): Promise<void>;
}

/** How often addresses are polled at most: others pay for the answers. */
const remotePollMs = 30_000;

/** A repository of these models; nothing is read before `load`. Throws `invalid-argument` if they don't fit together. */
export function createRepository(models: readonly ModelConfig[], options: RepositoryOptions): Repository {
  checkModelConfigs(models);
  return new ModelRepository(models, options);
}

class ModelRepository implements Repository {
  readonly #options: RepositoryOptions;
  readonly #remote: RemoteModels;
  readonly #served = new Map<string, ServedModel>();
  readonly #unloaded = new Set<string>();
  /** What was last told of each model that has no versions. */
  readonly #told = new Map<string, string>();
  /** The models of which the last look at their base path showed no version. */
  readonly #empty = new Set<string>();
  #models: readonly ModelConfig[];
  #labels: ReadonlyMap<string, Labels> | undefined;
  #loading: Promise<void> = Promise.resolve();
  #changing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isDraining = false;

  constructor(models: readonly ModelConfig[], options: RepositoryOptions) {
    this.#models = models;
    this.#options = options;
    const { cacheDir, onEvent } = options;
    const onUnreachable = (model: string, error: InferenceError) => onEvent({ type: "unreachable", model, error });
    this.#remote = new RemoteModels({ cacheDir, onUnreachable });
  }

  get isReady(): boolean {
    return !this.#isClosed && !this.#isDraining && this.#models.every(({ name }) => this.#served.get(name)?.find());
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get models(): readonly string[] {
    return [...new Set([...this.#models.map(({ name }) => name), ...this.#served.keys()])];
  }

  async load(models: readonly ModelConfig[] = this.#models): Promise<void> {
    checkModelConfigs(models);
    this.#takeModels(models);
    await this.#change(async () => {
      await this.#serve(models, { looksForNone: 1 });
      try {
        this.#setLabels(models);
      } catch (error) {
        this.#labels = new Map();
        this.#options.onEvent({ type: "bad-config", error: toInferenceError(error) });
      }
    });
    this.#pollLater();
  }

  poll(): Promise<void> {
    return this.#change(() => this.#serve(this.#models, { maxAgeMs: remotePollMs }));
  }

  async reload(models: readonly ModelConfig[]): Promise<void> {
    checkModelConfigs(models);
    await this.#change(async () => {
      this.#takeModels(models);
      this.#unloaded.clear();
      await this.#serve(models, { looksForNone: 1 });
      for (const { name } of models) this.#requireAvailable(name);
      this.#setLabels(models);
    });
  }

  async loadModel(name: string): Promise<void> {
    this.#requireModel(name);
    await this.#change(async () => {
      this.#unloaded.delete(name);
      const served = this.#served.get(name);
      if (served && !served.find()) await served.want(new Map()); // so that what failed is tried again
      await this.#serve(this.#models);
      this.#requireAvailable(name);
    });
  }

  async unloadModel(name: string): Promise<void> {
    this.#requireModel(name);
    await this.#change(async () => {
      this.#unloaded.add(name);
      await this.#serve(this.#models);
    });
  }

  versions(model: string): readonly ModelVersion[] {
    return this.#served.get(model)?.versions ?? [];
  }

  find(spec: ModelSpec): LoadedModel {
    const { name, label } = spec;
    const version = label === undefined ? spec.version : this.#versionOf(name, label);
    const loaded = this.#served.get(name)?.find(version);
    if (loaded) return loaded;
    const wanted = version === undefined ? `Latest(${name})` : `Specific(${name}, ${version})`;
    throw new InferenceError("not-found", `Servable not found for request: ${wanted}`);
  }

  async use<T>(spec: ModelSpec, work: (loaded: LoadedModel) => Promise<T>): Promise<T> {
    const loaded = this.find(spec);
    const served = this.#served.get(spec.name) as ServedModel; // it was found there
    return served.use(loaded, () => work(loaded));
  }

  drain(): void {
    this.#isDraining = true;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await Promise.all([...this.#served.values()].map((served) => served.close()));
    await this.#changing;
    await Promise.all([...this.#served.values()].map((served) => served.close())); // what a change brought meanwhile
  }

  #takeModels(models: readonly ModelConfig[]): void {
    this.#models = models;
    this.#options.onModels?.(models);
  }

  /** One change at a time; a failed one is its caller's to know. */
  #change(change: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(async () => {
      if (this.#isClosed) throw new InferenceError("closed", "the server is closing");
      await change();
    });
    this.#changing = changed.catch(() => {});
    return changed;
  }

  /**
   * Brings what is served to what these models want. Those that are on none of these lists are unloaded. A base path
   * without versions may be one in which a version is just being replaced, so it counts once two looks in a row show it.
   */
  async #serve(models: readonly ModelConfig[], { looksForNone = 2, maxAgeMs = 0 }: ServeLooks = {}): Promise<void> {
    const wanted = new Map(models.map((model) => [model.name, model]));
    const absent = [...this.#served].filter(([name]) => !wanted.has(name) || this.#unloaded.has(name));
    const changes = [...wanted.values()].map(async (model) => {
      if (this.#unloaded.has(model.name)) return;
      const versions = await this.#findVersions(model, maxAgeMs);
      const wasEmpty = this.#empty.delete(model.name);
      if (versions?.size === 0) this.#empty.add(model.name);
      if (versions?.size === 0 && !wasEmpty && looksForNone > 1) return;
      if (versions && !this.#isClosed) await this.#servedModel(model.name).want(versions);
    });
    await Promise.all([...changes, ...absent.map(([, served]) => served.want(new Map()))]);
  }

  /** The versions to serve; undefined, which changes nothing, where the base path can't be read. */
  async #findVersions(model: ModelConfig, maxAgeMs: number): Promise<VersionFolders | undefined> {
    const finding = isAddress(model.basePath) ? this.#remote.find(model, { maxAgeMs }) : findVersions(model);
    const found = await finding.catch((error: unknown) => toInferenceError(error));
    if (found instanceof InferenceError) this.#tell(model, found);
    else if (found.size === 0) this.#tell(model, noVersionError(model));
    else this.#told.delete(model.name);
    return found instanceof InferenceError ? undefined : found;
  }

  /** Tells once, not with every look at the base path. */
  #tell({ name }: ModelConfig, error: InferenceError): void {
    if (this.#told.get(name) === error.message) return;
    this.#told.set(name, error.message);
    this.#options.onEvent({ type: "no-version", model: name, error });
  }

  #servedModel(name: string): ServedModel {
    const known = this.#served.get(name);
    if (known) return known;
    const complete: LoadOptions["complete"] = (folder, signal) => this.#remote.complete(folder, signal);
    const served = new ServedModel(name, { ...this.#options, complete, inTurn: (load) => this.#inTurn(load) });
    this.#served.set(name, served);
    return served;
  }

  #inTurn<T>(load: () => Promise<T>): Promise<T> {
    const loaded = this.#loading.then(load);
    this.#loading = loaded.then(
      () => {},
      () => {},
    );
    return loaded;
  }

  #pollLater(): void {
    const { pollMs = 0 } = this.#options;
    if (pollMs <= 0 || this.#isClosed) return;
    this.#timer = setTimeout(async () => {
      await this.poll().catch(() => {}); // it fails only when the server is closing
      this.#pollLater();
    }, pollMs);
    this.#timer.unref();
  }

  #requireModel(name: string): void {
    if (this.#models.some((model) => model.name === name)) return;
    throw new InferenceError("not-found", `model "${name}" is not one that this server is to serve`);
  }

  #requireAvailable(name: string): void {
    const served = this.#served.get(name);
    if (served?.find()) return;
    const [latest] = served?.versions ?? [];
    if (latest?.error) throw latest.error;
    throw new InferenceError("not-found", `Could not find any versions of model ${name}`);
  }

  #versionOf(name: string, label: string): bigint {
    if (!this.#labels) throw new InferenceError("unavailable", `Model labels does not init yet.${label}`);
    const version = this.#labels.get(name)?.get(label);
    if (version !== undefined) return version;
    throw new InferenceError("invalid-argument", `Unrecognized servable version label: ${label}`);
  }

  /** Gives the labels, of all models or of none, to the versions that have to be there for it. */
  #setLabels(models: readonly ModelConfig[]): void {
    const { allowLabelsForUnavailable = false } = this.#options;
    const all = new Map(models.map(({ name, labels = {} }) => [name, new Map(Object.entries(labels))]));
    for (const [name, labels] of all) {
      for (const [label, version] of labels) {
        const isNew = !this.#labels?.get(name)?.has(label);
        if (this.#served.get(name)?.find(version) || (isNew && allowLabelsForUnavailable)) continue;
        const refused = `Request to assign label "${label}" to version ${version} of model ${name}`;
        const message = `${refused}, which is not currently available for inference`;
        throw new InferenceError("failed-precondition", message);
      }
    }
    this.#labels = all;
  }
}

/** How base paths are looked at. */
interface ServeLooks {
  /** How many looks in a row have to show no version. */
  readonly looksForNone?: 1 | 2;
  /** Addresses that were looked at in this time aren't again. */
  readonly maxAgeMs?: number;
}

type Labels = ReadonlyMap<string, bigint>;
