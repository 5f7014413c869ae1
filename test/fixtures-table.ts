import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { InferenceError, type Tensors } from "@nearside/core";
import { openSession } from "@nearside/server";
import buildHarness from "./build-harness.ts";
import { fixturesRoot } from "./fixtures.ts";
import { type GoldenCase, listGolden, parseGolden } from "./golden.ts";
import type { Target } from "./harness/target.ts";
import { openHarness } from "./harness-page.ts";
import { largestError } from "./largest-error.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";
import { rightInReference, runInStockTfjs } from "./stock-tfjs.ts";

// First stock: it must not find the ops that our runtime adds to TensorFlow.js's.
const allColumns = ["stock", "cpu", "wasm", "webgpu", "webgl"] as const;
type Column = (typeof allColumns)[number];

/** A signature of a fixture: what TensorFlow computed, and what became of it here. */
export interface Row {
  readonly fixture: string;
  readonly signature: string;
  /** The folder of its conversion, below that of all. */
  readonly folder: string;
  readonly golden: readonly GoldenCase[];
  /** `ok`, or the code and the first reason of the refusal. */
  readonly conversion: string;
  /** True where other signatures change its variables, which may have run before the golden values were made. */
  readonly isChangedElsewhere: boolean;
  /** Whether TensorFlow.js gets it right in what the Python converter wrote. */
  readonly isRightInReference: boolean;
  readonly results: Partial<Record<Column, string>>;
}

export interface FixturesTableOptions {
  /** Only the fixtures whose name has this part. */
  readonly only?: string | undefined;
  readonly backends?: readonly string[] | undefined;
}

/**
 * Converts every signature of every fixture, runs it in TensorFlow.js as it is and on each backend of ours, and
 * compares with TensorFlow's results. Prints the table, ends with counts, and writes both to test/results/fixtures.md.
 * A number is the largest error, |got − want| / (1 + |want|); up to 1e-4 is right.
 */
export async function printFixturesTable(options: FixturesTableOptions = {}): Promise<void> {
  if (fixturesRoot === undefined) return console.log("the fixtures (../shared/fixtures) are not here");
  const text = formatTable(await measureFixtures(fixturesRoot, options), columnsOf(options));
  console.log(text);
  const results = fileURLToPath(new URL("results", import.meta.url));
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "fixtures.md"), `${text}\n`);
}

/** The rows of the table. */
export async function measureFixtures(root: string, options: FixturesTableOptions): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-fixtures-"));
  try {
    const rows = await convertAll(root, options.only ?? "", folder);
    for (const column of columnsOf(options)) {
      if (column === "stock") await runInStock(rows, folder);
      else if (column === "webgpu" || column === "webgl") await runInBrowser(rows, folder, column);
      else await runInNode(rows, folder, column);
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function columnsOf({ backends = allColumns }: FixturesTableOptions): readonly Column[] {
  return allColumns.filter((column) => backends.includes(column));
}

// Of a model that TensorFlow itself can't run.
const noGolden = '{ "cases": [{ "signature": "serving_default", "error": "none was made" }] }';

async function convertAll(root: string, only: string, output: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const group of ["made", "public"]) {
    const names = await readdir(join(root, group), { withFileTypes: true });
    for (const entry of names.filter((name) => name.isDirectory())) {
      const fixture = `${group}/${entry.name}`;
      if (!fixture.includes(only)) continue;
      const path = join(root, fixture, "golden.json");
      const json = existsSync(path) ? await readFile(path, "utf8") : noGolden;
      const { tags, signatures } = listGolden(json);
      const golden = readable(json);
      const reference = await rightInReference(join(root, fixture));
      for (const [index, signature] of signatures.entries()) {
        const folder = `${fixture}/${index}`;
        const target = writeDirectory(join(output, folder));
        let cases = golden.filter((run) => run.signature === signature);
        const converted = convert(readDirectory(join(root, fixture, "saved_model")), target, { signature, tags });
        let isChangedElsewhere = false;
        const conversion = await settle(
          converted.then(({ state, ops, notices }) => {
            isChangedElsewhere = notices.some((notice) => notice.includes("is changed by signature"));
            if (state.length > 0 && !hasRandomOp(ops)) cases = cases.map(withCertainFirst);
            return "ok";
          }),
        );
        const isRightInReference = reference.includes(signature);
        const row = { fixture, signature, folder, golden: cases, conversion, results: {} };
        rows.push({ ...row, isChangedElsewhere, isRightInReference });
      }
    }
  }
  return rows;
}

/** A model with variables returned something else when TensorFlow ran it again; what the first run returns is sure. */
function withCertainFirst(golden: GoldenCase, index: number): GoldenCase {
  return index === 0 ? { ...golden, isDeterministic: true } : golden;
}

function hasRandomOp(ops: Readonly<Record<string, number>>): boolean {
  return Object.keys(ops).some((op) => /Random|Multinomial/.test(op));
}

async function runInStock(rows: readonly Row[], folder: string): Promise<void> {
  for (const row of runnable(rows)) {
    row.results.stock = await settle(runInStockTfjs(join(folder, row.folder), row.golden));
  }
}

async function runInNode(rows: readonly Row[], folder: string, backend: "cpu" | "wasm"): Promise<void> {
  for (const row of runnable(rows)) {
    const compute = async () => {
      await using session = await openSession(join(folder, row.folder), { backend, warmUp: false });
      // Awaited here: the session is closed at the end of this block.
      return await compareRuns(row, async (runs) => {
        const outputs: Tensors[] = [];
        for (const inputs of runs) outputs.push(await session.run(inputs));
        return outputs;
      });
    };
    row.results[backend] = await settle(compute());
  }
}

/** On a GPU, in a page. A third run of the same inputs counts, where the model keeps nothing: on webgpu it is a tape's. */
async function runInBrowser(rows: readonly Row[], folder: string, backend: "webgpu" | "webgl"): Promise<void> {
  await buildHarness();
  await using harness = await openHarness(folder);
  for (const row of runnable(rows)) {
    const options = { backend, warmUp: false, cache: false } as const;
    const target: Target = { open: `/models/${row.folder}/model.json`, options };
    const run = async (runs: readonly Tensors[]): Promise<readonly Tensors[]> => {
      const outcome = await harness.page.evaluate(
        ([target, runs]) => globalThis.harness.openAndRunAll(target, runs, 2),
        [target, runs.map(toPlainTensors)] as const,
      );
      if ("error" in outcome) throw new Error(outcome.error.message);
      return outcome.value.map(fromPlainTensors);
    };
    row.results[backend] = await settle(compareRuns(row, run));
  }
}

/** The golden cases of a file, none where one has a dtype that no tensor has: float16. */
function readable(json: string): readonly GoldenCase[] {
  try {
    return parseGolden(json);
  } catch {
    return [];
  }
}

function runnable(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ conversion, golden }) => conversion === "ok" && golden.length > 0);
}

/** `run` makes the runs in order on one session: a model may keep values from one to the next. */
async function compareRuns(
  { golden, isChangedElsewhere }: Row,
  run: (runs: readonly Tensors[]) => Promise<readonly Tensors[]>,
): Promise<string> {
  const results = await run(golden.map(({ inputs }) => inputs));
  let largest = 0;
  for (const [index, { outputs, isDeterministic }] of golden.entries()) {
    largest = Math.max(largest, largestError(results[index] ?? {}, outputs, { isDeterministic }));
  }
  const doubt = isChangedElsewhere
    ? ", or its golden values were made after another signature changed its variables"
    : "";
  return largest <= 1e-4 ? `ok ${largest.toExponential(0)}` : `wrong by ${largest.toExponential(0)}${doubt}`;
}

/** The text of a result, or what went wrong, in a line. */
async function settle(result: Promise<string>): Promise<string> {
  const tooLate = new Promise<never>((_, reject) => setTimeout(reject, 300_000, new Error("no result in 5 minutes")));
  try {
    return await Promise.race([result, tooLate]);
  } catch (error) {
    const code = error instanceof InferenceError ? error.code : "error";
    const message = error instanceof Error ? error.message : String(error);
    // A refusal lists the reasons below its first line, one each.
    const lines = message.split("\n").filter((line) => line.startsWith("  "));
    const text = lines.length > 0 ? lines.map((line) => line.trim().split(": ")[0]).join("; ") : message.split("\n")[0];
    return `${code}: ${text}`;
  }
}

function formatTable(rows: readonly Row[], columns: readonly Column[]): string {
  const lines = rows.map(({ fixture, signature, golden, conversion, results }) => {
    const cells = columns.map((column) => results[column] ?? (golden.length === 0 ? "no golden" : ""));
    return [fixture, signature, conversion, ...cells].map((cell) => cell.replaceAll("|", "\\|")).join(" | ");
  });
  const head = ["fixture", "signature", "convert", ...columns];
  const converted = rows.filter(({ conversion }) => conversion === "ok").length;
  const withGolden = rows.filter(({ golden }) => golden.length > 0).length;
  const counts = columns.map((column) => {
    const right = rows.filter(({ results }) => results[column]?.startsWith("ok")).length;
    const ours = rows.filter(({ results }) => results[column] === "needs ours").length;
    const failed = runnable(rows).length - right - ours;
    const note = column === "stock" ? `, ${ours} need our runtime` : "";
    return `${column}: ${right} right of ${withGolden} with golden values, ${failed} wrong or failed${note}.`;
  });
  const behind = rows.filter((row) => row.isRightInReference && !row.results.stock?.startsWith("ok"));
  const names = behind.map(({ fixture, signature }) => `${fixture} ${signature}`).join(", ");
  const comparison = `Right in what the Python converter wrote, but not stock in ours: ${names || "none"}.`;
  return [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---").join("|")}|`,
    ...lines.map((line) => `| ${line} |`),
    "",
    `${rows.length} signatures: ${converted} convert, ${rows.length - converted} are refused.`,
    ...counts,
    ...(columns.includes("stock") ? [comparison] : []),
  ].join("\n");
}
