import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { InferenceError, nearestWord } from "@nearside/core";
import { type Flag, flags, withoutEffect } from "./flag-table.ts";

/** The values of the flags that were given, as text. */
export type FlagValues = ReadonlyMap<Flag, string>;

/**
 * The flags that were given, the last where one was given twice, and what to tell of those without effect. Throws
 * `invalid-argument` for what is no flag, unless that is to be ignored: a misspelt `--tokens_file` would let everybody in.
 */
export function collect(args: readonly string[]): { readonly values: FlagValues; readonly notices: readonly string[] } {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [name, { type: value === null ? "boolean" : "string" } as const]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true });
  const values = new Map<Flag, string>();
  const notices: string[] = [];
  const unknown: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") unknown.push(`${token.value}: no flag; those with a value are --name=value`);
    else if (isFlag(token.name)) values.set(token.name, token.value ?? "true");
    else if (withoutEffect.has(token.name)) notices.push(`${token.rawName}: accepted, no effect yet`);
    else unknown.push(`${token.rawName}: unknown flag; ${adviceOn(token.name)}`);
  }
  if (unknown.length === 0 || isOn(values.get("help")) || isOn(values.get("version"))) return { values, notices };
  if (isOn(values.get("ignore_unknown_flags"))) {
    return { values, notices: [...notices, ...unknown.map((each) => `ignored: ${each}`)] };
  }
  const way = "give --ignore_unknown_flags to start all the same";
  throw new InferenceError("invalid-argument", `${unknown.join("\n")}\n${way}`);
}

function adviceOn(name: string): string {
  const nearest = nearestWord(name, [...Object.keys(flags), ...withoutEffect]);
  return nearest === undefined ? "see --help" : `did you mean --${nearest}?`;
}

/** Whether a flag that takes no value is on. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "false" && value !== "0";
}

/** The items of a list with commas. */
export function list(value: string | undefined): readonly string[] {
  return (value ?? "").split(",").filter((item) => item !== "");
}

/** The choice that a flag's value names. Throws `invalid-argument` for any other. */
export function parseChoice<T extends string>(flag: Flag, choices: readonly T[], text: string): T {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw invalid(`--${flag}`, choices.join(", "), text);
}

/** A whole number from 1. Throws `invalid-argument` for anything else. */
export function parseCount(where: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw invalid(where, "a whole number from 1", text);
}

/** A whole number from 0. Throws `invalid-argument` for anything else. */
export function parseNumber(
  flag: Flag,
  text: string | undefined,
  byDefault: number,
  largest = Number.MAX_SAFE_INTEGER,
): number {
  if (text === undefined) return byDefault;
  if (/^\d{1,16}$/.test(text) && Number(text) <= largest) return Number(text);
  throw invalid(`--${flag}`, `a number from 0 to ${Math.floor(largest)}`, text);
}

/** The text of a flag's file. Throws `invalid-argument` where it can't be read. */
export function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw invalid(flag, "a file that can be read", path);
  }
}

/** The error for what does not fit. */
export function invalid(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}; see --help`);
}

function isFlag(name: string): name is Flag {
  return Object.hasOwn(flags, name);
}
