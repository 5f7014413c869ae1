import { type FlagName, flagOf, flags } from "./flags.ts";

const usage = `Usage: convert <model> <output> [flags]
       convert inspect <model> [--json]

Converts a TensorFlow SavedModel to a TensorFlow.js graph model, or says what is in it.
The flags are those of tensorflowjs_converter; hyphens do for underscores.
`;

/** What `--help` prints. */
export function helpText(): string {
  const names = Object.keys(flags) as FlagName[]; // the table's own keys
  const rows = names.map((name) => [synopsis(name), description(name)] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return `${usage}\n${rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n")}\n`;
}

function synopsis(name: FlagName): string {
  const { kind, placeholder, short } = flagOf(name);
  const value = kind === "boolean" ? "" : ` ${placeholder}`;
  return `--${name}${value}${short === undefined ? "" : `, -${short}`}`;
}

function description(name: FlagName): string {
  const { about, choices = [] } = flagOf(name);
  return choices.length < 2 ? about : `${about}: ${choices.join(", ")}`;
}
