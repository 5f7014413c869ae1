import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { elementCount, type Manifest, parseManifest } from "@nearside/core";
import type { Browser, Page } from "playwright";
import type { PlainTensors } from "../../plain-tensors.ts";
import type { ModelUrls } from "./contender.ts";
import { contenders } from "./contenders.ts";
import type { FirstResult, PageCalls, Started, Trial } from "./page.ts";
import type { Profile, ProfileCall } from "./profile.ts";

/** Milliseconds, medians over the starts. */
interface FirstMs {
  /** From showing the page until the library is loaded and its backend started. */
  readonly library: number;
  /** From there to the first outputs of the model. */
  readonly model: number;
}

interface ContenderResult {
  readonly warmMs: { readonly p50: number; readonly p95: number; readonly least: number };
  readonly firstMs: FirstMs;
  /** The largest |got − want| / (1 + |want|) over all outputs; want is ours in the page. */
  readonly largestError: number;
}

export interface ModelResult {
  readonly contenders: Readonly<Record<string, ContenderResult>>;
  /** Who was left out, and why. */
  readonly refused: Readonly<Record<string, string>>;
  /** Where the time of our runs on wasm goes. */
  readonly profile?: Profile;
}

export interface BenchOptions {
  readonly origin: string;
  /** The same, isolated from other origins, so that single kernels can be timed. */
  readonly isolatedOrigin: string;
  readonly backend: "wasm" | "webgpu";
  readonly runs: number;
  readonly starts: number;
}

interface Model {
  readonly name: string;
  readonly savedModel: string;
  /** Where the server takes it from: what `make-peers.py` made, and soon what our converter makes. */
  readonly folder: string;
}

const files = {
  nearside: "nearside/model.json",
  reference: "reference/model.json",
  tflite: "model.tflite",
  onnx: "model.onnx",
} as const;

/** Converts a SavedModel, and measures it in every contender that has a file of it. */
export async function benchModel(model: Model, browser: Browser, options: BenchOptions): Promise<ModelResult> {
  const { name, savedModel, folder } = model;
  await convert(readDirectory(savedModel), writeDirectory(join(folder, "nearside")));
  const manifest = parseManifest(await readFile(join(folder, files.nearside), "utf8"));
  const urlOf = (file: string) => `${options.origin}/models/${name}/${file}`;
  const entries = Object.entries(files).map(([key, file]) => [key, urlOf(file)]);
  const urls: ModelUrls = Object.fromEntries(entries); // a URL for each key
  const shared = { backend: options.backend, model: urls, inputs: randomInputs(manifest) };
  const refused: Record<string, string> = {};
  const trials = new Map<string, Trial>();
  for (const [contender, { page, file }] of Object.entries(contenders)) {
    if (!existsSync(join(folder, files[file]))) refused[contender] = `there is no ${files[file]}`;
    else trials.set(contender, { page, ...shared });
  }
  const firsts = await firstResults(trials, browser, options, refused);
  await using page = await openStage(browser, options.origin);
  const started = new Map<string, Started>();
  for (const [contender, trial] of trials) {
    if (!(contender in refused)) started.set(contender, await page.calls("start", trial));
  }
  await page.calls("warmRuns", warmUpRuns);
  const times = await page.calls("warmRuns", options.runs);
  const want = started.get("nearside")?.outputs;
  const results = [...started].map(([contender, { outputs }], index) => [
    contender,
    {
      warmMs: percentiles(times[index] ?? []),
      firstMs: {
        library: median(firsts.get(contender)?.map(({ libraryMs }) => libraryMs) ?? []),
        model: median(firsts.get(contender)?.map(({ modelMs }) => modelMs) ?? []),
      },
      largestError: largestError(outputs, want ?? {}),
    },
  ]);
  const measured = { contenders: Object.fromEntries(results), refused };
  return options.backend === "wasm"
    ? { ...measured, profile: await profileModel(name, shared.inputs, browser, options) }
    : measured;
}

async function profileModel(
  name: string,
  inputs: PlainTensors,
  browser: Browser,
  { isolatedOrigin, runs }: BenchOptions,
): Promise<Profile> {
  const url = `${isolatedOrigin}/models/${name}/${files.nearside}`;
  await using page = await openPage(browser, `${isolatedOrigin}/profile.html`, "profile");
  const call = ([url, inputs, runs]: Parameters<ProfileCall>) =>
    (globalThis as unknown as { profile: ProfileCall }).profile(url, inputs, runs);
  return await page.page.evaluate(call, [url, inputs, runs] as Parameters<ProfileCall>);
}

const warmUpRuns = 10; // browsers compile what is hot in the background

/** Each contender's first results, in fresh profiles, in turn. Who fails is put into `refused`. */
async function firstResults(
  trials: ReadonlyMap<string, Trial>,
  browser: Browser,
  { origin, starts }: BenchOptions,
  refused: Record<string, string>,
): Promise<ReadonlyMap<string, readonly FirstResult[]>> {
  const firsts = new Map<string, FirstResult[]>([...trials.keys()].map((contender) => [contender, []]));
  for (let count = 0; count < starts; count++) {
    for (const [contender, trial] of trials) {
      if (contender in refused) continue;
      await using page = await openStage(browser, origin);
      try {
        firsts.get(contender)?.push(await page.calls("start", trial));
      } catch (error) {
        refused[contender] = String(error).split("\n")[0]?.slice(0, 200) ?? "failed";
      }
    }
  }
  return firsts;
}

/** A page of the benchmark in a profile of its own: nothing is cached. Its script then offers `offered`. */
async function openPage(browser: Browser, url: string, offered: string) {
  const context = await browser.newContext();
  const page: Page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction((name) => name in globalThis, offered);
  return { page, [Symbol.asyncDispose]: () => context.close() };
}

/** The page that shows the contenders. */
async function openStage(browser: Browser, origin: string) {
  const { page, ...rest } = await openPage(browser, `${origin}/index.html`, "calls");
  return {
    ...rest,
    calls<Name extends keyof PageCalls>(name: Name, argument: Parameters<PageCalls[Name]>[0]) {
      const call = ([called, given]: [string, unknown]) =>
        (globalThis as unknown as { calls: Record<string, (given: unknown) => unknown> }).calls[called]?.(given);
      return page.evaluate(call, [name, argument] as [string, unknown]) as ReturnType<PageCalls[Name]>;
    },
  };
}

/** Numbers from −1 to 1, the same in every run, with 1 for free dimensions. */
function randomInputs({ signature }: Manifest): PlainTensors {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes
    return state / 2 ** 31 - 1;
  };
  const inputs = Object.entries(signature.inputs).map(([name, { dtype, shape }]) => {
    if (dtype !== "float32" || !shape) throw new Error(`input "${name}": this bench feeds float32 of a known rank`);
    const sizes = shape.map((size) => size ?? 1);
    return [name, { dtype, shape: sizes, data: Array.from({ length: elementCount(sizes) }, random) }];
  });
  return Object.fromEntries(inputs);
}

function largestError(got: Started["outputs"], want: Started["outputs"]): number {
  const errors = Object.entries(want).flatMap(([name, values]) =>
    values.map((value, index) => Math.abs((got[name]?.[index] ?? Number.NaN) - value) / (1 + Math.abs(value))),
  );
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...errors);
}

function percentiles(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), least: at(0) };
}

function median(values: readonly number[]): number {
  return percentiles(values).p50;
}
