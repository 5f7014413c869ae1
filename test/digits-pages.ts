import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { expectClose, type GoldenRun } from "@nearside/core/testing";
import type { BrowserContext, Page } from "playwright";
import type { RunReport } from "./harness/harness.ts";
import type { Outcome, Target } from "./harness/target.ts";
import { readExample } from "./models.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";

/** A shard as a server has it, below `/models/`. */
export interface ServedShard {
  readonly path: string;
  readonly bytes: number;
}

/** The digits model in a folder of models, gone when it is disposed. */
export interface DigitsModels extends AsyncDisposable {
  readonly folder: string;
  readonly golden: GoldenRun;
  /** Of `digits/`, which has it in many shards. */
  readonly shards: readonly ServedShard[];
  /** Of `whole/`, which has it in one. */
  readonly whole: ServedShard;
}

/** Converts the digits model into many shards, into one, and into `few/`, none of whose shards the others have. */
export async function convertDigits(): Promise<DigitsModels> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  const { savedModel, golden } = await readExample("digits");
  const convertTo = async (name: string, shardBytes: number): Promise<readonly ServedShard[]> => {
    await convert(readDirectory(savedModel), writeDirectory(join(folder, name)), { shardBytes });
    const { weightsManifest } = JSON.parse(await readFile(join(folder, name, "model.json"), "utf8"));
    const [{ paths, shards }] = weightsManifest as [{ paths: string[]; shards: { bytes: number }[] }]; // as we write it
    return shards.map(({ bytes }, index) => ({ path: `/models/${name}/${paths[index]}`, bytes }));
  };
  const [whole] = await convertTo("whole", 2 ** 22); // it is smaller
  await convertTo("few", 150_000);
  return {
    folder,
    golden: golden[0] as GoldenRun, // there is more than none
    shards: await convertTo("digits", 32_768),
    whole: whole as ServedShard,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Opens the harness page of this origin. */
export async function openPage(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}/index.html`);
  await page.waitForFunction(() => "harness" in globalThis);
  return page;
}

/** Opens a session in the page, runs it on the golden inputs, and throws unless it gives the golden outputs. */
export async function runGolden(page: Page, target: Target, golden: GoldenRun): Promise<RunReport> {
  const outcome = await tryGolden(page, target, golden);
  if ("error" in outcome) throw new Error(outcome.error.message);
  expectClose(fromPlainTensors(outcome.value.outputs), golden.outputs);
  return outcome.value;
}

/** The same, with an outcome that may be an error. */
export async function tryGolden(page: Page, target: Target, { inputs }: GoldenRun): Promise<Outcome<RunReport>> {
  return page.evaluate(([target, inputs]) => globalThis.harness.openAndRun(target, inputs), [
    target,
    toPlainTensors(inputs),
  ] as const);
}

/** Changes one byte of a file. */
export function flipByte(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  };
}
