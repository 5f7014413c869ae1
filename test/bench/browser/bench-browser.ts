import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launchChromium } from "../../chromium.ts";
import { isolatingHeaders, serveFiles } from "../../file-server.ts";
import testPackage from "../../package.json" with { type: "json" };
import { drawChart } from "../draw-chart.mjs";
import { findModels } from "../find-models.mjs";
import { benchModel, type ModelResult } from "./bench-model.ts";
import { chartOf } from "./chart-of.ts";
import { buildPages, libraryFolders } from "./pages.ts";

const usage = "browser --models DIR [--only NAME,…] [--backend wasm|webgpu] [--runs N] [--starts N] [--output DIR]";
const resultsFolder = fileURLToPath(new URL("../../results", import.meta.url));

/**
 * Measures models in Chromium, in our runtime and in others, in one run and in turn: each one's first result in a fresh
 * profile, then warm runs of all of them in one page. `--models` is what `make-peers.py` made. Writes the results as
 * JSON and as a chart; says of every library that computes something else how far off it is.
 */
export async function benchBrowser(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string" },
      only: { type: "string" },
      backend: { type: "string", default: "wasm" },
      runs: { type: "string", default: "60" },
      starts: { type: "string", default: "5" },
      output: { type: "string", default: resultsFolder },
    },
  });
  const [runs, starts, backend] = [Number(values.runs), Number(values.starts), values.backend];
  const isCount = (count: number) => Number.isInteger(count) && count > 0;
  if (!values.models || !isCount(runs) || !isCount(starts) || (backend !== "wasm" && backend !== "webgpu")) {
    throw new Error(`npm run bench -- ${usage}`);
  }
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  const pages = join(folder, "pages");
  await buildPages(["index", "profile", "nearside-in-page", "nearside-worker", "tfjs", "litert", "onnxruntime"], pages);
  const folders = { ...libraryFolders(), "/models/": join(folder, "models"), "/": pages };
  await using server = await serveFiles(folders);
  await using isolated = await serveFiles(folders, isolatingHeaders);
  const browser = await launchChromium({ webgpu: backend === "webgpu" });
  const models: Record<string, ModelResult> = {};
  try {
    const wanted = values.only?.split(",");
    for (const { name, savedModel } of await findModels(values.models, usage)) {
      if (wanted && !wanted.includes(name)) continue;
      await cp(dirname(savedModel), join(folder, "models", name), { recursive: true });
      const result = await benchModel({ name, savedModel, folder: join(folder, "models", name) }, browser, {
        origin: server.origin,
        isolatedOrigin: isolated.origin,
        backend,
        runs,
        starts,
      });
      models[name] = result;
      console.log(describe(name, result));
    }
    const report = { ...surroundings(browser.version()), backend, runs, starts, models };
    await mkdir(values.output, { recursive: true });
    const file = join(values.output, `browser-${backend}`);
    await writeFile(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(`${file}.svg`, drawChart(chartOf(report)));
    console.log(`written: ${file}.json and .svg`);
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function surroundings(chromium: string) {
  const [cpu] = cpus();
  const versions = Object.entries({ ...testPackage.dependencies, ...testPackage.devDependencies });
  const libraries = versions.filter(([name]) => /tfjs-core|litertjs|onnxruntime/.test(name));
  return {
    cpu: cpu?.model.trim() ?? "unknown",
    cores: cpus().length,
    chromium,
    libraries: Object.fromEntries(libraries),
  };
}

export type BrowserReport = ReturnType<typeof surroundings> & {
  readonly backend: string;
  readonly models: Readonly<Record<string, ModelResult>>;
};

function describe(model: string, { contenders, refused, profile }: ModelResult): string {
  const ours = contenders.nearside;
  const lines = Object.entries(contenders).map(([name, { warmMs, firstMs, largestError }]) => {
    const ratio = ours ? `${(ours.warmMs.p50 / warmMs.p50).toFixed(2)}×` : "";
    const warm = `warm p50 ${warmMs.p50.toFixed(1)} p95 ${warmMs.p95.toFixed(1)} ms`.padEnd(30);
    const first = `first ${firstMs.model.toFixed(0)} ms after ${firstMs.library.toFixed(0)}`.padEnd(24);
    return `  ${name.padEnd(26)}${warm}${ratio.padEnd(8)}${first} off by ${largestError.toExponential(1)}`;
  });
  const missing = Object.entries(refused).map(([name, reason]) => `  ${name.padEnd(26)}${reason}`);
  const kernels = Object.entries(profile?.kernels ?? {}).sort(([, a], [, b]) => b.ms - a.ms);
  const where = kernels.map(([name, { calls, ms }]) => `${name} ${ms.toFixed(2)} (${calls})`).join(", ");
  const own = profile ? [`  ours in ms (calls): ${where}, besides kernels ${profile.otherMs.toFixed(2)}`] : [];
  return [`${model} (×: ours as a share of theirs, warm)`, ...lines, ...missing, ...own].join("\n");
}
