import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = fileURLToPath(new URL("./eco-projects", import.meta.url));
const packages = ["packages/core", "packages/sdk", "converter"];

/** The projects of `eco-projects/` in a folder of their own, with the SDK installed from its tarballs. */
export interface Projects extends AsyncDisposable {
  readonly folder: string;
  /** Runs a command of an installed package in a project's folder. Rejects with all that it printed. */
  run(project: string, command: string, ...args: string[]): Promise<string>;
  /** Starts a server by such a command, which prints its address. */
  start(project: string, command: string, ...args: string[]): Promise<Server>;
}

export interface Server extends AsyncDisposable {
  readonly origin: string;
}

/** Installs what the projects need. Resolves with undefined, and prints why, where the registry can't be reached. */
export async function installProjects(): Promise<Projects | undefined> {
  try {
    await execute(root, "npm", "view", "next", "version", "--workspaces=false", "--fetch-retries=0");
  } catch (error) {
    console.log(`Skipped: the projects can't be installed, since npm's registry can't be reached.\n${error}`);
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), "nearside-projects-"));
  await cp(sources, folder, { recursive: true });
  for (const name of packages) {
    await execute(join(root, name), "npm", "pack", "--ignore-scripts", "--pack-destination", folder);
  }
  await execute(folder, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock");
  for (const bundled of ["vite", "webpack", "rollup"])
    await cp(join(folder, "main.js"), join(folder, bundled, "main.js"));
  return {
    folder,
    run: (project, command, ...args) => execute(join(folder, project), "npx", "--no-install", command, ...args),
    start: (project, command, ...args) => startServer(join(folder, project), command, args),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Without vitest's NODE_ENV, which is "test". */
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: undefined };

async function startServer(cwd: string, command: string, args: readonly string[]): Promise<Server> {
  const server = spawn("npx", ["--no-install", command, ...args], { cwd, env, detached: true });
  const exited = once(server, "exit");
  const stop = async () => {
    if (server.exitCode === null) process.kill(-(server.pid as number)); // npx and what it started; it has one
    await exited;
  };
  let printed = "";
  for await (const line of createInterface(server.stdout)) {
    printed += `${line}\n`;
    const origin = /http:\/\/[\w.]+:\d+/.exec(stripVTControlCharacters(line))?.[0];
    if (origin) return { origin, [Symbol.asyncDispose]: stop };
  }
  await stop();
  throw new Error(`${command} ${args.join(" ")} in ${cwd} printed no address:\n${printed}`);
}

async function execute(cwd: string, command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 26 });
    return stdout + stderr;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} in ${cwd}:\n${stdout}${stderr}`, { cause: error });
  }
}
