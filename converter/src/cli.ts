import { parseArgs } from "node:util";
import { InferenceError } from "@nearside/core";
import { convert, formatReport, version } from "./index.ts";
import { readDirectory, writeDirectory } from "./node.ts";

const usage = `Usage: convert <saved_model> <output> [options]

Converts a TensorFlow SavedModel to a TensorFlow.js graph model.

  --signature_name NAME            the signature to convert (serving_default)
  --saved_model_tags A,B           the tags of the graph to convert (serve)
  --weight_shard_size_bytes N      the size of a weights file, at most (4194304)
  --help, -h                       prints this
  --version, -v                    prints the version
`;

process.exitCode = await main(process.argv.slice(2));

/** Runs the command; returns the exit status: 1 where the conversion failed, 2 where the command makes no sense. */
async function main(args: readonly string[]): Promise<number> {
  const command = parseCommand(args);
  if (typeof command === "string") {
    console.error(`convert: ${command}\n\n${usage}`);
    return 2;
  }
  if (command.help || command.version) {
    console.log(command.help ? usage : version);
    return 0;
  }
  const started = performance.now();
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort(new InferenceError("cancelled", "interrupted; nothing was written")));
  try {
    const options = { ...command.options, signal: interrupt.signal };
    const report = await convert(readDirectory(command.input), writeDirectory(command.output), options);
    console.log(formatReport(report));
    console.log(`written    ${command.output} in ${((performance.now() - started) / 1000).toFixed(2)} s`);
    return 0;
  } catch (error) {
    console.error(`convert: ${error instanceof InferenceError ? error.message : describe(error)}`);
    return 1;
  }
}

/** The command that the arguments give, or what is wrong with them. */
function parseCommand(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        signature_name: { type: "string", default: "serving_default" },
        saved_model_tags: { type: "string", default: "serve" },
        weight_shard_size_bytes: { type: "string", default: String(4 * 2 ** 20) },
        help: { type: "boolean", short: "h", default: false },
        version: { type: "boolean", short: "v", default: false },
      },
    });
    const [input, output] = positionals;
    const shardBytes = Number(values.weight_shard_size_bytes);
    const { help, version } = values;
    if (help || version) return { help, version, input: "", output: "", options: {} };
    if (input === undefined || output === undefined || positionals.length > 2) {
      return `expected a SavedModel's folder and an output folder, got ${positionals.length} paths`;
    }
    if (!Number.isSafeInteger(shardBytes) || shardBytes < 1) {
      return `--weight_shard_size_bytes: expected a whole number ≥ 1, got "${values.weight_shard_size_bytes}"`;
    }
    const tags = values.saved_model_tags.split(",").filter((tag) => tag !== "");
    return { help, version, input, output, options: { signature: values.signature_name, tags, shardBytes } };
  } catch (error) {
    return describe(error);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
