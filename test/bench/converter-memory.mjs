import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { measureProcess } from "./measure-process.mjs";

const convertCli = fileURLToPath(new URL("../../converter/bin/convert.js", import.meta.url));
const writer = fileURLToPath(new URL("../../converter/testing/write-large-model.ts", import.meta.url));

/** The peak memory and seconds of converting models of one size in few large variables and in many small ones. */
export async function bench(args) {
  const { values } = parseArgs({ args, options: { megabytes: { type: "string", default: "1024" } } });
  const bytes = Number(values.megabytes) * 2 ** 20;
  if (!Number.isInteger(bytes / 2 ** 28) || bytes < 1) throw new Error(`--megabytes: expected a multiple of 256`);
  // Vite compiles the TypeScript, which the oldest Node that the project supports can't run.
  const { module } = await runnerImport(writer, { configFile: false, oxc: { target: "es2022" } });
  for (const variableBytes of [2 ** 28, 2 ** 26, 2 ** 18]) {
    const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
    try {
      const variables = bytes / variableBytes;
      await module.writeLargeModel(join(folder, "model"), { variables, variableBytes });
      for (const flags of [[], ["--quantize_float16=*"], ["--quantize_uint8=*"]]) {
        const paths = [join(folder, "model"), join(folder, "output")];
        const { seconds, peakBytes } = await measureProcess(process.execPath, [convertCli, ...paths, ...flags]);
        const what = `${variables} variables of ${variableBytes / 2 ** 20} MiB ${flags.join(" ")}`.trimEnd();
        console.log(`${what}: ${seconds.toFixed(1)} s, ${Math.round(peakBytes / 1e6)} MB`);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
