import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { InferenceError } from "@nearside/core";
import { tfjsCoreKey } from "./native-kernels.ts";
import { tensorflowDir } from "./tensorflow-package.ts";

const tfjsNodeVersion = "4.22.0";
const nodeGyp = "node-gyp@^11.0.0";
const googleProtobuf = "google-protobuf@^3.21.0"; // which the package's modules need

export interface SetupOptions {
  /** The Python whose TensorFlow is used (default `python3`). */
  readonly python?: string | undefined;
  /** Where to put what is built; by default where servers look for it. */
  readonly dir?: string;
  /** Told of each step. */
  readonly tell?: (step: string) => void;
}

/**
 * Builds TensorFlow.js's native addon against the C API in the TensorFlow that a Python has installed, for CPU or CUDA;
 * the one that the addon's own package would fetch is of 2022. Needs npm, tar, a C++ compiler, make and Python. What was
 * there before goes first. Rejects with `unavailable`, and what the step printed, if one fails.
 */
export async function setupTensorflow({
  python = "python3",
  dir = tensorflowDir(),
  tell = () => {},
}: SetupOptions = {}): Promise<void> {
  const { folder: wheel, version, cuda } = await findWheel(python);
  tell(`TensorFlow ${version} for ${cuda ? "CUDA" : "CPU"}: ${wheel}`);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  tell(`fetching @tensorflow/tfjs-node ${tfjsNodeVersion}`);
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir, googleProtobuf], dir);
  await run("npm", ["pack", "--silent", `@tensorflow/tfjs-node@${tfjsNodeVersion}`], dir);
  await run("tar", ["-xzf", `tensorflow-tfjs-node-${tfjsNodeVersion}.tgz`], dir);
  const target = join(dir, "package"); // as npm names the folder in every package
  await addLibraries(target, wheel);
  await addTfjs(dir);
  tell("building the addon");
  await build(target, wheel, python);
}

interface Wheel {
  readonly folder: string;
  readonly version: string;
  readonly cuda: boolean;
}

async function findWheel(python: string): Promise<Wheel> {
  const script = [
    "import json, os, tensorflow as tf",
    "wheel = dict(folder=os.path.dirname(tf.__file__), version=tf.__version__, cuda=tf.test.is_built_with_cuda())",
    "print('\\n' + json.dumps(wheel))",
  ].join("\n");
  const output = await run(python, ["-c", script], ".").catch((cause: InferenceError) => {
    const message = `${cause.message}\n${python} has no TensorFlow: pip install tensorflow, or name another by --python`;
    throw new InferenceError("unavailable", message, { cause });
  });
  const wheel = JSON.parse(output.slice(output.trimEnd().lastIndexOf("\n"))) as Wheel; // what the script printed last
  const needed = [join(wheel.folder, "include/tensorflow/c/eager/c_api.h"), ...Object.values(libraries(wheel.folder))];
  const missing = needed.find((path) => !existsSync(path));
  if (missing === undefined) return wheel;
  throw new InferenceError(
    "unavailable",
    `TensorFlow ${wheel.version}: expected ${missing}, found none; use another version`,
  );
}

/** The libraries of a wheel, by the names that the addon is linked with. */
function libraries(wheel: string): Readonly<Record<string, string>> {
  const extension = process.platform === "darwin" ? "2.dylib" : "so.2";
  const linked = process.platform === "darwin" ? "2.dylib" : "so";
  return {
    [`libtensorflow.${linked}`]: join(wheel, `libtensorflow_cc.${extension}`),
    [`libtensorflow_framework.${linked}`]: join(wheel, `libtensorflow_framework.${extension}`),
  };
}

/** Puts the wheel's headers and libraries where the addon's build looks for them. */
async function addLibraries(target: string, wheel: string): Promise<void> {
  await mkdir(join(target, "deps/lib"), { recursive: true });
  await symlink(join(wheel, "include"), join(target, "deps/include"));
  for (const [name, path] of Object.entries(libraries(wheel))) await symlink(path, join(target, "deps/lib", name));
}

/** Lets the package's modules have the TensorFlow.js of this program: another one would be 140 MB more. */
async function addTfjs(dir: string): Promise<void> {
  for (const name of ["tfjs", "tfjs-core"]) {
    const folder = join(dir, "node_modules/@tensorflow", name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: `@tensorflow/${name}`, main: "index.js" }));
    await writeFile(join(folder, "index.js"), `module.exports = globalThis[Symbol.for("${tfjsCoreKey}")];\n`);
  }
}

async function build(target: string, wheel: string, python: string): Promise<void> {
  const prefix = dirname(dirname(process.execPath));
  const hasHeaders = existsSync(join(prefix, "include/node/node_api.h")); // else node-gyp fetches them
  const names = [
    "--module_name=tfjs_binding",
    `--module_path=${join(target, "lib/napi-v8")}`,
    "--napi_build_version=8",
  ];
  const args = ["rebuild", ...(hasHeaders ? [`--nodedir=${prefix}`] : []), ...names];
  const env = { NODE_GYP_FORCE_PYTHON: python, LDFLAGS: `-Wl,-rpath,${wheel}` }; // where its own libraries find theirs
  await run("npm", ["exec", "--yes", `--package=${nodeGyp}`, "--", "node-gyp", ...args], target, env);
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  try {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 };
    return (await promisify(execFile)(command, args, options)).stdout;
  } catch (cause) {
    const { stdout = "", stderr = "", message } = cause as Error & { stdout?: string; stderr?: string }; // as it rejects
    const printed = `${stdout}${stderr}`.trim().slice(-4000) || message;
    throw new InferenceError("unavailable", `${command} ${args.slice(0, 3).join(" ")} failed:\n${printed}`, { cause });
  }
}
