import { InferenceError, nearestWord } from "@nearside/core";
import { type FlagName, type FlagValues, flagOf, flags, parseValue } from "./flags.ts";

/** The arguments of a command, sorted. */
export interface ParsedFlags {
  readonly values: FlagValues;
  /** What isn't a flag nor a flag's value: a command's name and paths. */
  readonly positionals: readonly string[];
  /** Values that flags which need none took from the argument after them. */
  readonly taken: readonly { readonly flag: FlagName; readonly text: string }[];
}

/**
 * Sorts arguments into flags and paths. A flag's name may have hyphens for underscores, its value may follow `=` or be
 * the next argument; after `--` there are paths only. Throws `invalid-argument` for a flag that there isn't, a value
 * that doesn't fit, and a flag that is given twice.
 */
export function parseFlags(args: readonly string[]): ParsedFlags {
  const values = new Map<FlagName, unknown>();
  const positionals: string[] = [];
  const taken: { flag: FlagName; text: string }[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") {
      positionals.push(...rest.splice(0));
    } else if (!arg.startsWith("-") || arg === "-") {
      positionals.push(arg);
    } else {
      const equals = arg.indexOf("=");
      const flag = flagNamed(equals < 0 ? arg : arg.slice(0, equals));
      if (values.has(flag)) throw new InferenceError("invalid-argument", `--${flag}: expected once, got it twice`);
      const given = equals < 0 ? undefined : arg.slice(equals + 1);
      const next = given ?? nextValue(flag, rest);
      if (given === undefined && next !== undefined && flagOf(flag).bare !== undefined)
        taken.push({ flag, text: next });
      values.set(flag, next === undefined ? flagOf(flag).bare : parseValue(flag, next));
    }
  }
  return { values: Object.fromEntries(values) as FlagValues, positionals, taken }; // each parsed as its flag's kind
}

function flagNamed(arg: string): FlagName {
  const name = arg.replace(/^--?/, "").replaceAll("-", "_");
  const names = Object.keys(flags) as FlagName[]; // the table's own keys
  const found = arg.startsWith("--")
    ? names.find((candidate) => candidate === name)
    : names.find((candidate) => flagOf(candidate).short === name);
  if (found !== undefined) return found;
  const nearest = nearestWord(name, names);
  const advice = nearest === undefined ? "--help lists the flags" : `did you mean --${nearest}?`;
  throw new InferenceError("invalid-argument", `${arg}: no such flag; ${advice}`);
}

/** Takes the flag's value off the arguments after it; undefined for a flag that needs none and has none. */
function nextValue(flag: FlagName, rest: string[]): string | undefined {
  const { bare, takesNext, placeholder } = flagOf(flag);
  const [next] = rest;
  if (next !== undefined && next !== "--" && takesNext(next)) return rest.shift();
  if (bare !== undefined) return undefined;
  throw new InferenceError("invalid-argument", `--${flag}: expected a value (${placeholder}), got none`);
}
