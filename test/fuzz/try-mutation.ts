import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type ConversionReport,
  convert,
  type FileSink,
  type FileSource,
  openArchive,
  repack,
} from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { elementCount, InferenceError, parseManifest } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { memorySink, memorySource } from "../../converter/testing/memory-files.ts";
import { type Mutation, mutationOf } from "./mutation.ts";
import type { Subject } from "./subjects.ts";

/** What became of a mutation. */
export interface Outcome {
  /** The code of the error, or `converted`. */
  readonly result: string;
  /** What is wrong with it; null where nothing is. */
  readonly fault: string | null;
  /** Seconds that the conversion took: of the wall or of the processor, whichever is less. */
  readonly seconds: number;
}

/**
 * Converts a mutation and checks what comes of it: a typed error with nothing written, or a model whose files fit
 * together. Every twentieth goes through real folders, is opened and run, and converted twice.
 */
export async function tryMutation(subject: Subject, run: number, index: number): Promise<Outcome> {
  const mutation = mutationOf(subject, run, index);
  const isThorough = index % 20 === 0;
  const [wall, processor] = [performance.now(), process.cpuUsage()];
  let seconds = 0;
  try {
    const files = await convertInMemory(subject, mutation);
    seconds = elapsed(wall, processor);
    checkFiles(files);
    if (isThorough) await checkThoroughly(subject, mutation, files);
    return { result: "converted", fault: null, seconds };
  } catch (error) {
    seconds ||= elapsed(wall, processor);
    if (!(error instanceof InferenceError)) return { result: "fault", fault: faultOf(error), seconds };
    if (error.code === "internal" || error.message.length > 20_000) {
      return {
        result: "fault",
        fault: `${error.code}, ${error.message.length}: ${error.message.slice(0, 300)}`,
        seconds,
      };
    }
    const leftover = isThorough ? await leftoverOf(subject, mutation) : null;
    return { result: error.code, fault: leftover, seconds };
  }
}

function elapsed(wall: number, processor: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(processor);
  return Math.min((performance.now() - wall) / 1000, (user + system) / 1e6);
}

function faultOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message).split("\n").slice(0, 8).join("\n").slice(0, 1500)
    : String(error);
}

/** A fault of the converter's, found by looking at what it wrote. */
function fault(message: string): Error {
  return new Error(`wrong output: ${message}`);
}

async function convertInMemory(subject: Subject, mutation: Mutation): Promise<Readonly<Record<string, Uint8Array>>> {
  const sink = memorySink();
  const checked: FileSink = {
    ...sink,
    write(path, bytes) {
      const isInside = path !== "" && !/^[\\/]|^[a-z]:/i.test(path) && !path.split(/[\\/]/).includes("..");
      if (!isInside) throw fault(`a file at ${JSON.stringify(path)}`);
      return sink.write(path, bytes);
    },
  };
  try {
    await convertWith(subject, mutation, memorySource(mutation.files), checked);
  } catch (error) {
    const left = Object.keys(sink.files);
    throw left.length === 0 ? error : fault(`${left} left after ${error}`);
  }
  return sink.files;
}

async function convertWith(
  { kind }: Subject,
  { file, options }: Mutation,
  source: FileSource,
  sink: FileSink,
): Promise<ConversionReport> {
  if (kind === "graph-model") return await repack(source, sink, options);
  const isArchive = kind === "zip" || kind === "tar.gz";
  return await convert(isArchive ? await openArchive(source, file) : source, sink, options);
}

/** Throws unless the files are a model whose shards are what its manifest says. */
function checkFiles(files: Readonly<Record<string, Uint8Array>>): ReturnType<typeof parseManifest> {
  const manifest = parseManifest(new TextDecoder().decode(files["model.json"]));
  const shards = manifest.weightGroups.flatMap((group) => group.shards);
  for (const { path, bytes, sha256 } of shards) {
    const file = files[path];
    if (file?.length !== bytes) throw fault(`shard ${path} has ${file?.length} bytes, not ${bytes}`);
    if (createHash("sha256").update(file).digest("hex") !== sha256) throw fault(`shard ${path} has another SHA-256`);
  }
  const expected = ["model.d.ts", "model.json", ...new Set(shards.map(({ path }) => path))].sort();
  const written = Object.keys(files).filter((path) => path !== "model.d.ts" || expected.includes(path));
  const hasTypes = "model.d.ts" in files;
  const wanted = hasTypes ? expected : expected.slice(1);
  if (String(written.sort()) !== String(wanted)) throw fault(`files ${written}, not ${wanted}`);
  return manifest;
}

async function checkThoroughly(subject: Subject, mutation: Mutation, files: Readonly<Record<string, Uint8Array>>) {
  const again = await convertInMemory(subject, mutation);
  for (const [path, bytes] of Object.entries(files)) {
    if (Buffer.compare(bytes, again[path] ?? new Uint8Array(0)) !== 0) throw fault(`${path} differs from run to run`);
  }
  const written = await convertOnDisk(subject, mutation);
  const expected = Object.keys(files).map((path) => `out/${path}`);
  if (String(written) !== String(expected.sort())) throw fault(`on disk: ${written}, not ${expected}`);
  const manifest = checkFiles(files);
  const isSmall = Object.values(manifest.signature.inputs).every(
    ({ shape }) => elementCount(shape?.map((size) => size ?? 1) ?? []) < 1e5,
  );
  const readShard = async ({ path }: { path: string }) => new Uint8Array(files[path] ?? []).buffer;
  try {
    // Loops may go on forever where their conditions were damaged.
    const warmUp = isSmall && !/"(StatelessWhile|While|Enter)"/.test(JSON.stringify(manifest.json.modelTopology));
    const session = await openLocalSession("mutation", { manifest, readShard }, await openCpuBackend(), { warmUp });
    await session.close();
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
  }
}

/** What a conversion that fails leaves in a real folder, or null. */
async function leftoverOf(subject: Subject, mutation: Mutation): Promise<string | null> {
  const left = await convertOnDisk(subject, mutation);
  return left.length === 0 ? null : `left behind: ${left}`;
}

/** The files that a conversion writes in and around a real folder. */
async function convertOnDisk(subject: Subject, mutation: Mutation): Promise<readonly string[]> {
  const root = await mkdtemp(join(tmpdir(), "nearside-fuzz-"));
  try {
    const input = join(root, "a/b/in");
    const output = join(root, "a/b/work");
    for (const [path, bytes] of Object.entries(mutation.files)) {
      await mkdir(dirname(join(input, path)), { recursive: true });
      await writeFile(join(input, path), bytes);
    }
    await mkdir(output, { recursive: true });
    try {
      await convertWith(subject, mutation, readDirectory(input), writeDirectory(join(output, "out")));
    } catch (error) {
      if (!(error instanceof InferenceError)) throw error;
    }
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    return paths
      .filter((path) => !path.startsWith(`${input}/`))
      .map((path) => path.slice(output.length + 1))
      .sort();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
