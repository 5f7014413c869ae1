import { InferenceError, toInferenceError } from "@nearside/core";
import { type LoadedModel, type LoadOptions, loadVersion } from "./load-version.ts";
import { descending, type VersionFolders } from "./version-folders.ts";

/** The states of a version, as TensorFlow Serving has them. */
export type VersionState = "start" | "loading" | "available" | "unloading" | "end";

/** A version of a model, and what has become of it. */
export interface ModelVersion {
  readonly version: bigint;
  readonly state: VersionState;
  /** Why it couldn't be loaded; also while it is to be tried again. */
  readonly error: InferenceError | null;
  /** What can be run, while it is available. */
  readonly loaded: LoadedModel | null;
}

/** How the versions of a model are loaded. */
export interface ServeOptions extends LoadOptions {
  /** How often a load that failed is tried again (default 5). */
  readonly maxLoadRetries?: number | undefined;
  /** How long after a failure it is tried again (default a minute). */
  readonly loadRetryMs?: number | undefined;
  /** Runs one load at a time, of all models. */
  readonly inTurn: <T>(load: () => Promise<T>) => Promise<T>;
}

/** How many versions that ended are told of. */
const rememberedEnds = 100;

interface Entry {
  readonly version: bigint;
  readonly path: string;
  readonly abort: AbortController;
  state: VersionState;
  error: InferenceError | null;
  loaded: LoadedModel | null;
  triesLeft: number;
  /** Whether it is to be loaded now. */
  isDue: boolean;
  /** Whether it was unwanted at some time, so that to want it is to load it anew. */
  wasDropped: boolean;
  retry: NodeJS.Timeout | undefined;
  uses: number;
  unused: (() => void) | undefined;
  /** Until it is unloaded, while it is being. */
  unloading: Promise<void> | undefined;
}

/**
 * A model's versions. What is wanted is loaded before what isn't any more is unloaded, which also waits for the requests
 * that use it; a version that can't be loaded doesn't take the place of one that is.
 */
export class ServedModel {
  readonly #name: string;
  readonly #options: ServeOptions;
  readonly #entries = new Map<bigint, Entry>();
  readonly #unloading = new Set<Promise<void>>();
  #wanted: VersionFolders = new Map();
  #advancing: Promise<void> = Promise.resolve();

  constructor(name: string, options: ServeOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** The versions that are wanted or were lately, the highest first. */
  get versions(): readonly ModelVersion[] {
    return [...this.#entries.values()].sort((a, b) => descending(a.version, b.version));
  }

  /** The highest available version, or the one that is asked for. */
  find(version?: bigint): LoadedModel | undefined {
    if (version !== undefined) return this.#entries.get(version)?.loaded ?? undefined;
    let highest: LoadedModel | undefined;
    for (const { loaded } of this.#entries.values()) {
      if (loaded && (!highest || loaded.version > highest.version)) highest = loaded;
    }
    return highest;
  }

  /** Runs `work` on a version, which is not unloaded before it is over. */
  async use<T>({ version }: LoadedModel, work: () => Promise<T>): Promise<T> {
    const entry = this.#entries.get(version) as Entry; // what was found is there
    entry.uses++;
    try {
      return await work();
    } finally {
      entry.uses--;
      if (entry.uses === 0) entry.unused?.();
    }
  }

  /** Makes these the versions to serve; resolves when each was loaded or has failed once. */
  want(versions: VersionFolders): Promise<void> {
    this.#wanted = versions;
    return this.#advance();
  }

  /** Unloads everything; resolves when no request uses it any more. */
  async close(): Promise<void> {
    await this.want(new Map());
    await Promise.all(this.#unloading);
  }

  #advance(): Promise<void> {
    for (const entry of this.#entries.values()) if (!this.#wanted.has(entry.version)) this.#drop(entry);
    this.#advancing = this.#advancing.then(() => this.#loadThenUnload());
    return this.#advancing;
  }

  async #loadThenUnload(): Promise<void> {
    const wanted = this.#wanted;
    for (const [version, path] of wanted) {
      if (wanted !== this.#wanted) return; // others are wanted meanwhile, and another round is coming
      const entry = this.#entries.get(version);
      await entry?.unloading; // what is wanted again is loaded anew, once it is gone
      const isNew = !entry || (entry.state === "end" && entry.wasDropped);
      const started = isNew ? this.#start(version, path) : entry;
      if (started.isDue) await this.#options.inTurn(() => this.#load(started));
    }
    const hasOther = [...this.#entries.values()].some(({ version, loaded }) => loaded && this.#wanted.has(version));
    if (this.#wanted.size > 0 && !hasOther) return; // what is there serves until something else can
    for (const entry of this.#entries.values()) {
      if (entry.loaded && !this.#wanted.has(entry.version)) this.#unload(entry, entry.loaded);
    }
  }

  #start(version: bigint, path: string): Entry {
    const { maxLoadRetries = 5 } = this.#options;
    this.#forget();
    const entry: Entry = {
      ...{ version, path, abort: new AbortController(), state: "start", error: null, loaded: null },
      ...{ triesLeft: maxLoadRetries, isDue: true, wasDropped: false, retry: undefined, uses: 0, unused: undefined },
      unloading: undefined,
    };
    this.#entries.set(version, entry);
    return entry;
  }

  /** Forgets what ended longest ago: a version a second is half a million in a week. */
  #forget(): void {
    const ended = [...this.#entries.values()].filter(({ state, wasDropped }) => state === "end" && wasDropped);
    for (const { version } of ended.slice(0, -rememberedEnds)) this.#entries.delete(version);
  }

  async #load(entry: Entry): Promise<void> {
    if (entry.abort.signal.aborted) return;
    const { onEvent } = this.#options;
    const { version, path } = entry;
    const what = { model: this.#name, version };
    entry.state = "loading";
    entry.isDue = false;
    onEvent({ type: "loading", ...what });
    const startMs = performance.now();
    try {
      entry.loaded = await loadVersion({ ...what, path }, this.#options, entry.abort.signal);
      entry.state = "available";
      entry.error = null;
      const loadMs = performance.now() - startMs;
      const [first] = entry.loaded.signatures.values();
      if (first) onEvent({ type: "available", ...what, backend: first.session.backend, loadMs });
      for (const [signature, error] of entry.loaded.refused) onEvent({ type: "refused", ...what, signature, error });
    } catch (cause) {
      if (entry.abort.signal.aborted) return;
      entry.error = toInferenceError(cause);
      onEvent({ type: "failed", ...what, error: entry.error });
      this.#retryLater(entry);
    }
  }

  #retryLater(entry: Entry): void {
    const { loadRetryMs = 60_000 } = this.#options;
    if (entry.triesLeft === 0) {
      entry.state = "end";
      return;
    }
    entry.triesLeft--;
    entry.retry = setTimeout(() => {
      entry.isDue = true;
      void this.#advance(); // it rejects never: what fails is kept in the entry
    }, loadRetryMs);
    entry.retry.unref();
  }

  /** Ends what is being loaded, or would be tried again. */
  #drop(entry: Entry): void {
    entry.wasDropped = true;
    if (entry.loaded || entry.state === "end" || entry.state === "unloading") return;
    clearTimeout(entry.retry);
    entry.isDue = false;
    entry.state = "end";
    entry.error = null;
    entry.abort.abort(
      new InferenceError("cancelled", `${this.#name}: version ${entry.version} is not wanted any more`),
    );
  }

  #unload(entry: Entry, loaded: LoadedModel): void {
    entry.state = "unloading";
    entry.loaded = null;
    const unloading = this.#closeUnused(entry, loaded).finally(() => this.#unloading.delete(unloading));
    this.#unloading.add(unloading);
    entry.unloading = unloading;
  }

  async #closeUnused(entry: Entry, loaded: LoadedModel): Promise<void> {
    const { onEvent } = this.#options;
    const what = { model: this.#name, version: entry.version };
    if (entry.uses > 0) {
      await new Promise<void>((resolve) => {
        entry.unused = resolve;
      });
    }
    try {
      await loaded.close();
      onEvent({ type: "unloaded", ...what });
    } catch (error) {
      onEvent({ type: "failed", ...what, error: toInferenceError(error) });
    }
    entry.state = "end";
    if (this.#wanted.has(entry.version)) void this.#advance(); // wanted again meanwhile
  }
}
