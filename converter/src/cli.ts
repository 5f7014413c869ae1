import { readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import { InferenceError } from "@nearside/core";
import { helpText } from "./cli/help.ts";
import { type Command, parseCommand } from "./cli/parse-command.ts";
import { createProgressPrinter } from "./cli/progress-printer.ts";
import {
  type ConversionReport,
  convert,
  convertAll,
  type FileSource,
  formatReport,
  formatSummary,
  inspect,
  isArchive,
  openArchive,
  parseGolden,
  repack,
  type UserMetadata,
  version,
} from "./index.ts";
import { readDirectory, writeDirectory } from "./node.ts";

/** What converts what a command names. */
const conversions = { signature: convert, "every-signature": convertAll, "graph-model": repack } as const;

process.exitCode = await main(process.argv.slice(2));

/** Runs the command; returns the exit status: 1 where it failed, 2 where what it was given makes no sense. */
async function main(args: readonly string[]): Promise<0 | 1 | 2> {
  try {
    const command = parseCommand(args);
    if (command.name === "help") console.log(helpText());
    if (command.name === "version") console.log(version);
    if (command.name === "inspect") await runInspect(command);
    if (command.name === "convert") return await runConvert(command);
    return 0;
  } catch (error) {
    console.error(`convert: ${error instanceof Error ? error.message : String(error)}`);
    if (!(error instanceof InferenceError) || error.code !== "invalid-argument") return 1;
    console.error("convert --help lists the flags");
    return 2;
  }
}

async function runInspect({ input, isJson }: Extract<Command, { name: "inspect" }>): Promise<void> {
  const summary = await inspect(await openSource(input));
  console.log(isJson ? JSON.stringify(summary) : formatSummary(summary));
}

type ConvertCommand = Extract<Command, { name: "convert" }>;

/** Returns 1 where the outputs are not those of the golden values, though nothing is quantised; the model is written. */
async function runConvert({ input, output, notices, ...command }: ConvertCommand): Promise<0 | 1> {
  const started = performance.now();
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interrupt.abort(new InferenceError("cancelled", "interrupted; nothing was written")));
  }
  for (const notice of notices) console.error(notice);
  if (command.reportFile !== undefined) await checkReportFile(command.reportFile, output);
  const metadata = await readMetadata(command.metadataFiles);
  const progress = createProgressPrinter({
    isTerminal: process.stderr.isTTY,
    write: (text) => process.stderr.write(text),
  });
  const { verify, options: asked } = command;
  const options = {
    ...asked,
    metadata,
    verify: typeof verify === "string" ? parseGolden(await readGiven(verify, "--verify"), verify) : verify,
    // Imported here because only who runs models needs a runtime.
    ...((verify || asked.quantize?.auto) && { openModel: await (await import("./open-model.ts")).modelOpener() }),
    signal: interrupt.signal,
    onProgress: progress.show,
  };
  try {
    const report = await conversions[command.what](await openSource(input), writeDirectory(output), options);
    progress.end();
    console.log(command.isJson ? reportJson(report) : [report].flat().map(formatReport).join("\n\n"));
    if (command.reportFile !== undefined) await writeReport(command.reportFile, report);
    if (!command.isJson) {
      if (command.reportFile !== undefined) console.log(`report     ${command.reportFile}`);
      console.log(`written    ${output} in ${((performance.now() - started) / 1000).toFixed(2)} s`);
    }
    const isOff = [report].flat().some(({ verification }) => verification?.isOff);
    if (isOff) console.error("convert: the outputs are off by more than 1e-4 + 1e-4·|want|; see the report");
    return isOff ? 1 : 0;
  } finally {
    progress.end();
  }
}

/** The report as JSON, but for what grows with the model, which is for the page. */
function reportJson(report: ConversionReport | readonly ConversionReport[]): string {
  const lean = [report].flat().map(({ details: _, ...rest }) => rest);
  return JSON.stringify(Array.isArray(report) ? lean : lean[0]);
}

/** Throws `invalid-argument` for a place that no report can have, before anything is converted. */
async function checkReportFile(file: string, output: string): Promise<void> {
  const path = relative(output, file);
  if (!isAbsolute(path) && !/^\.\.($|[\\/])/.test(path)) {
    // That folder is replaced as a whole by the next conversion, unless there is something else in it.
    const message = `--report ${file}: expected a file outside the output folder, which is for the model alone`;
    throw new InferenceError("invalid-argument", `${message}; write it beside that folder`);
  }
  const isFolder = async (path: string) => (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if ((await isFolder(dirname(resolve(file)))) && !(await isFolder(file))) return;
  throw new InferenceError("invalid-argument", `--report ${file}: expected a file in a folder that is there`);
}

async function writeReport(file: string, report: ConversionReport | readonly ConversionReport[]): Promise<void> {
  const { htmlReport } = await import("./report/page/html-report.ts"); // and what lays graphs out, for those who ask
  try {
    await writeFile(file, htmlReport(report));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceError("invalid-argument", `--report ${file}: the model is written, this is not; ${reason}`, {
      cause,
    });
  }
}

/** The files of a folder or an archive. */
async function openSource(input: string): Promise<FileSource> {
  const found = await stat(input).catch(() => undefined);
  if (found === undefined)
    throw new InferenceError("not-found", `${input}: expected a model, got no such file or folder`);
  if (found.isDirectory()) return readDirectory(input);
  if (isArchive(input)) return await openArchive(readDirectory(dirname(input)), basename(input));
  const message = `${input}: expected a model's folder, or a .zip, .tar.gz or .tgz of one, got another file`;
  throw new InferenceError("not-found", `${message}; of saved_model.pb, give the folder that it is in`);
}

/** The content of the JSON files, by their keys. */
async function readMetadata(files: Readonly<Record<string, string>>): Promise<UserMetadata> {
  const metadata: Record<string, UserMetadata[string]> = {};
  for (const [key, path] of Object.entries(files)) {
    const flag = `--metadata ${key}`;
    const text = await readGiven(path, flag);
    try {
      metadata[key] = JSON.parse(text);
    } catch (cause) {
      throw noJson(flag, path, cause);
    }
  }
  return metadata;
}

/** The text of a file that a flag names. */
async function readGiven(path: string, flag: string): Promise<string> {
  return await readFile(path, "utf8").catch((cause: unknown) => {
    throw noJson(flag, path, cause);
  });
}

function noJson(flag: string, path: string, cause: unknown): InferenceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new InferenceError("invalid-argument", `${flag}:${path}: expected a JSON file; ${reason}`, { cause });
}
