import { createHash } from "node:crypto";
import { readdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { InferenceError, parseManifest, toInferenceError } from "@nearside/core";
import { downloadModel, getFile, isComplete, type ModelDownload, type Send } from "./download-model.ts";
import type { ModelConfig } from "./model-config.ts";
import type { VersionFolders } from "./version-folders.ts";

/** How long to wait for an origin that doesn't answer. */
const lookTimeoutMs = 10_000;

/** Where models from addresses are kept, and who is told. */
export interface RemoteModelsOptions {
  readonly cacheDir: string;
  /** Told when an origin can't be reached, and what was found before is served: once, until it can be again. */
  readonly onUnreachable: (model: string, error: InferenceError) => void;
  readonly send?: Send;
}

/** What stands at the address of a `model.json`. */
interface Found extends ModelDownload {
  readonly version: bigint;
  /** Where it is downloaded to. */
  readonly folder: string;
  /** What to ask with whether it has changed. */
  readonly condition: { readonly "if-modified-since"?: string; readonly "if-none-match"?: string };
}

/** What an origin answers. */
interface Answer {
  readonly text: string;
  readonly modified: string | null;
  readonly etag: string | null;
}

/** The version at an address, of which less is known where only its copy was found. */
type Known = Pick<Found, "version" | "folder"> & Partial<Found>;

/** The last look at an address. */
interface Look {
  readonly atMs: number;
  readonly known: Known | undefined;
  /** What went wrong with it. */
  readonly error: InferenceError | undefined;
}

/**
 * Models whose base path is an address: graph models on a CDN, or on another server. They are copied below `cacheDir`
 * before they are loaded, and served from there also while the origin is away.
 */
export class RemoteModels {
  readonly #options: RemoteModelsOptions;
  readonly #send: Send;
  readonly #looks = new Map<string, Look>();
  /** What each folder is to hold. */
  readonly #downloads = new Map<string, Found>();

  constructor(options: RemoteModelsOptions) {
    this.#options = options;
    this.#send = options.send ?? ((address, init) => fetch(address, init));
  }

  /**
   * The versions of a model, and the folders for them. At `BASE/model.json` is one version, the newest: its number is
   * the time that it was last modified, in seconds, or 1 where the origin tells none. Versions that a policy lists are at
   * `BASE/VERSION/model.json`. Rejects with `not-found`, or with `unavailable` where nothing was found before.
   */
  async find(
    { name, basePath, versions }: ModelConfig,
    { maxAgeMs }: { readonly maxAgeMs: number },
  ): Promise<VersionFolders> {
    if (typeof versions !== "object" || !("specific" in versions)) {
      const { version, folder } = await this.#look(name, manifestAddress(basePath), undefined, maxAgeMs);
      return new Map([[version, folder]]);
    }
    const looks = versions.specific.map((version) =>
      this.#look(name, manifestAddress(basePath, version), version, maxAgeMs).catch((error: unknown) => {
        if (toInferenceError(error).code === "not-found") return undefined; // as a folder that isn't there
        throw error;
      }),
    );
    const found = (await Promise.all(looks)).filter((each) => each !== undefined);
    return new Map(found.map(({ version, folder }) => [version, folder]));
  }

  /** Downloads what a version's folder lacks; a folder that is none of these is left as it is. */
  async complete(folder: string, signal: AbortSignal): Promise<void> {
    const found = this.#downloads.get(folder);
    if (!found) return;
    const now = new Date();
    if (await isComplete(folder)) return utimes(join(folder, "model.json"), now, now); // the last that was wanted
    const { address, text, condition } = found;
    const checkUnchanged = async () => {
      const answer = await this.#ask(address, condition);
      if (
        answer === undefined ||
        (answer.text === text && answer.modified === (condition["if-modified-since"] ?? null))
      )
        return;
      throw new InferenceError("unavailable", `${address} changed while the model was downloaded; it is tried again`);
    };
    await downloadModel(found, folder, { signal, send: this.#send, checkUnchanged });
  }

  async #look(model: string, address: string, listed: bigint | undefined, maxAgeMs: number): Promise<Known> {
    const last = this.#looks.get(address);
    if (last && performance.now() - last.atMs < maxAgeMs) return knownOf(last);
    const look = await this.#lookAgain(address, listed, last?.known);
    this.#looks.set(address, look);
    if (look.error?.code === "unavailable" && look.known && !last?.error)
      this.#options.onUnreachable(model, look.error);
    return knownOf(look);
  }

  async #lookAgain(address: string, listed: bigint | undefined, before: Known | undefined): Promise<Look> {
    const atMs = performance.now();
    try {
      const answer = await this.#ask(address, before?.condition);
      if (answer === undefined) return { atMs, known: before, error: undefined };
      const found = this.#found(address, answer, listed);
      // An edge of a CDN may be behind the others, and have other times for the same files.
      const isNew = before === undefined || (found.version >= before.version && !isSameModel(found, before));
      return { atMs, known: isNew ? found : before, error: undefined };
    } catch (thrown) {
      return { atMs, known: before ?? (await this.#copied(address)), error: toInferenceError(thrown) };
    }
  }

  #found(address: string, { text, modified, etag }: Answer, listed: bigint | undefined): Found {
    parseManifest(text, address); // what is none is no version
    const seconds = Date.parse(modified ?? "") / 1000;
    const version = listed ?? (Number.isSafeInteger(seconds) && seconds > 0 ? BigInt(seconds) : 1n);
    const folder = join(this.#folderOf(address), `${version}-${shortHash(text)}`);
    const found = { address, text, version, folder, condition: conditionOf(modified, etag) };
    this.#downloads.set(folder, found);
    return found;
  }

  /** Asks for `model.json`; undefined where it is as it was. */
  async #ask(address: string, condition: Found["condition"] = {}): Promise<Answer | undefined> {
    const signal = AbortSignal.timeout(lookTimeoutMs);
    const response = await getFile(address, condition, { signal, send: this.#send });
    if (response.status === 304) return undefined;
    const text = await response.text().catch((cause: unknown) => {
      throw new InferenceError("unavailable", `${address}: it could not be read to its end`, { cause });
    });
    return { text, modified: response.headers.get("last-modified"), etag: response.headers.get("etag") };
  }

  /** The last version that was downloaded from an address. */
  async #copied(address: string): Promise<Known | undefined> {
    const parent = this.#folderOf(address);
    const names = await readdir(parent).catch(() => []); // nothing was downloaded yet
    let newest: (Known & { readonly timeMs: number }) | undefined;
    for (const name of names) {
      const folder = join(parent, name);
      if (!(await isComplete(folder))) continue;
      const { mtimeMs: timeMs } = await stat(join(folder, "model.json"));
      if (!newest || timeMs > newest.timeMs) newest = { version: BigInt(name.split("-")[0] as string), folder, timeMs };
    }
    return newest;
  }

  #folderOf(address: string): string {
    return join(this.#options.cacheDir, "addresses", shortHash(address));
  }
}

/** The version that a look showed, or one before where nobody answered. Throws what else was wrong. */
function knownOf({ known, error }: Look): Known {
  if (known && (error === undefined || error.code === "unavailable")) return known;
  throw error; // there is one without a version
}

/** Whether two versions have the same files: their `model.json` says so, where it has hashes. */
function isSameModel(found: Found, before: Known): boolean {
  if (found.text !== before.text) return false;
  const { weightGroups } = parseManifest(found.text, found.address);
  return weightGroups.every(({ shards }) => shards.every(({ sha256 }) => sha256 !== null));
}

/**
 * A time says more than an `ETag`: the Python converter writes the same `model.json` for other weights.
 */
function conditionOf(modified: string | null, etag: string | null): Found["condition"] {
  if (modified !== null) return { "if-modified-since": modified };
  return etag === null ? {} : { "if-none-match": etag };
}

function manifestAddress(basePath: string, version?: bigint): string {
  const url = new URL(basePath);
  const folder = url.pathname.replace(/\/(model\.json)?$/, "");
  url.pathname = `${folder}/${version === undefined ? "" : `${version}/`}model.json`;
  return url.href;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
