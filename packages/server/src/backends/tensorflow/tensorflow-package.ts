import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import util from "node:util";
import { InferenceError, toInferenceError } from "@nearside/core";

/** A tensor that TensorFlow holds. */
export interface NativeTensor {
  readonly id: number;
  readonly shape: number[];
  /** TensorFlow's number for it. */
  readonly dtype: number;
}

/** What TensorFlow.js's native addon exports, as far as it is called here. */
export interface TensorflowAddon {
  createTensor(shape: readonly number[], dtype: number, data: ArrayBufferView | readonly Uint8Array[]): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ArrayBufferView | readonly Uint8Array[];
  getNumOfTensors(): number;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: readonly number[], inputNames: string, outputNames: string): NativeTensor[];
  isUsingGpuDevice(): boolean;
  readonly TF_Version: string;
}

/** The package `@tensorflow/tfjs-node`: its addon, and how to load its modules. */
export interface TensorflowPackage {
  readonly addon: TensorflowAddon;
  readonly require: (path: string) => unknown;
}

/** Where `setup-tensorflow` puts what it builds: `$NEARSIDE_TENSORFLOW`, or `nearside/tensorflow` of the user's data. */
export function tensorflowDir(): string {
  const data = process.env.XDG_DATA_HOME || join(homedir(), ".local/share");
  return process.env.NEARSIDE_TENSORFLOW || join(data, "nearside/tensorflow");
}

/**
 * Loads TensorFlow into this process: as `setup-tensorflow` built it, else from an installed `@tensorflow/tfjs-node-gpu`
 * or `@tensorflow/tfjs-node`. Throws `no-backend` where there is none, or where it doesn't load.
 */
export function loadTensorflowPackage(): TensorflowPackage {
  const folder = findPackage();
  const lib = folder && join(folder, "lib");
  const builds = lib && existsSync(lib) ? readdirSync(lib).filter((name) => /^napi-v\d+$/.test(name)) : [];
  const build = builds.sort((a, b) => Number(b.slice(6)) - Number(a.slice(6)))[0];
  if (!folder || !lib || !build) {
    const message = 'backend "tensorflow" cannot run here: it is not set up; npx nearside-server setup-tensorflow';
    throw new InferenceError("no-backend", message);
  }
  restoreRemovedUtilities();
  try {
    const require = createRequire(join(folder, "package.json"));
    const addon = require(join(lib, build, "tfjs_binding.node")) as TensorflowAddon; // its only export
    return { addon, require };
  } catch (cause) {
    const reason = toInferenceError(cause).message;
    const message = `backend "tensorflow" cannot run here: ${reason}; npx nearside-server setup-tensorflow builds it anew`;
    throw new InferenceError("no-backend", message, { cause });
  }
}

function findPackage(): string | undefined {
  const built = join(tensorflowDir(), "package");
  if (existsSync(join(built, "package.json"))) return built;
  const { resolve } = createRequire(import.meta.url);
  for (const name of ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"]) {
    try {
      return dirname(resolve(`${name}/package.json`));
    } catch {} // not installed
  }
  return undefined;
}

/** What TensorFlow.js's modules call of `node:util`, and Node 23 took away. */
function restoreRemovedUtilities(): void {
  const utilities = util as unknown as Record<string, unknown>;
  utilities.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  utilities.isArray ??= Array.isArray;
}
