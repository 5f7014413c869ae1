import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import * as core from "@tensorflow/tfjs-core";

const require = createRequire(import.meta.url);
const coreOps = join(dirname(require.resolve("@tensorflow/tfjs-core/package.json")), "dist/ops");
const converterDist = join(dirname(require.resolve("@tensorflow/tfjs-converter/package.json")), "dist");

/** What a source file does towards running kernels. */
interface Source {
  readonly kernels: readonly string[];
  /** The names that it imports, and the files they are in. */
  readonly imports: ReadonlyMap<string, string>;
}

/**
 * For each op that TensorFlow.js loads, the kernels that its executor may run, from the source text of the installed
 * packages: those of each function that it calls, and of what that imports. Never too few; those that only some
 * inputs or gradients need are among them.
 */
export function kernelsOfOps(): ReadonlyMap<string, ReadonlySet<string>> {
  const executors = join(converterDist, "operations/executors");
  const found = new Map<string, Set<string>>();
  for (const file of readdirSync(executors).filter((name) => name.endsWith("_executor.js"))) {
    const text = readCode(join(executors, file));
    for (const [ops, block] of caseBlocks(text)) {
      const kernels = [...calledFunctions(text, block)].flatMap((name) => [...kernelsOfFunction(name)]);
      for (const op of ops) found.set(op, new Set([...(found.get(op) ?? []), ...kernels]));
    }
  }
  return found;
}

/** The kernels that a TypeScript file's imports from TensorFlow.js may run, and those of the files that it imports. */
export function kernelsOfFile(path: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(path)) return new Set();
  seen.add(path);
  const found = new Set<string>();
  for (const [, names = "", from = ""] of readCode(path).matchAll(/^import \{([^}]*)\} from "([^"]+)"/gm)) {
    const isCore = from === "@tensorflow/tfjs-core";
    const values = names.split(",").filter((name) => !name.trim().startsWith("type "));
    const kernels = isCore
      ? values.flatMap((name) => [...kernelsOfFunction(`ops.${name.trim().split(" ")[0]}`)])
      : from.startsWith(".")
        ? [...kernelsOfFile(resolve(dirname(path), from), seen)]
        : [];
    for (const kernel of kernels) found.add(kernel);
  }
  return found;
}

/** The cases of an executor's switch: the ops, and the code that they share. */
function caseBlocks(text: string): readonly (readonly [readonly string[], string])[] {
  return [...text.matchAll(/((?:case '\w+':\s*)+)([\s\S]*?)(?=case '\w+':|default:)/g)].map(
    ([, cases = "", block = ""]) => [[...cases.matchAll(/'(\w+)'/g)].map(([, op = ""]) => op), block],
  );
}

/** The functions of TensorFlow.js that a case calls, as `ops.add`, and those of the lists and arrays it may work on. */
function calledFunctions(text: string, block: string): ReadonlySet<string> {
  const classes = [...text.matchAll(/ from '(\.\.\/\.\.\/executor\/\w+)'/g)].map(
    ([, from = ""]) => `${resolve(converterDist, "operations/executors", from)}.js`,
  );
  const imported = [text, ...classes.map(readCode)].flatMap((source) =>
    [...source.matchAll(/^import \{([^}]*)\} from '@tensorflow\/tfjs-core'/gm)].flatMap(([, names = ""]) =>
      names.split(",").map((name) => `ops.${name.trim()}`),
    ),
  );
  return new Set([...[...block.matchAll(/\bops\.[\w.]+/g)].map(([name]) => name), ...imported]);
}

const sources = new Map<string, Source>();

function sourceOf(path: string): Source {
  const known = sources.get(path);
  if (known !== undefined) return known;
  const text = readCode(path);
  const constants = core as unknown as Readonly<Record<string, unknown>>; // kernels' names are among its exports
  const kernels = [...text.matchAll(/runKernel\(\s*('?)(\w+)/g)].map(([, quote, name = ""]) =>
    quote === "'" ? name : String(constants[name]),
  );
  const imports = new Map<string, string>();
  for (const [, names = "", from = ""] of text.matchAll(/^import (?:\{([^}]*)\}|\* as \w+) from '(\.[^']+)'/gm)) {
    const file = `${resolve(dirname(path), from)}.js`;
    if (file.startsWith(coreOps)) imports.set(names || from, file);
  }
  const source = { kernels, imports };
  sources.set(path, source);
  return source;
}

/** The kernels that a function such as `ops.fused.conv2d` may run. */
function kernelsOfFunction(name: string): ReadonlySet<string> {
  const path = filesOfFunctions().get(
    name.includes(".fused.") ? name.slice("ops.".length) : (name.split(".").at(-1) ?? ""),
  );
  const found = new Set<string>();
  const seen = new Set<string>();
  const pending = path === undefined ? [] : [path];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const { kernels, imports } = sourceOf(file);
    for (const kernel of kernels) found.add(kernel);
    pending.push(...imports.values());
  }
  return found;
}

let functionFiles: ReadonlyMap<string, string> | undefined;

/** The file that has each of TensorFlow.js's functions; those that are fused share names with others. */
function filesOfFunctions(): ReadonlyMap<string, string> {
  functionFiles ??= new Map(
    readdirSync(coreOps, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js") && !name.endsWith("_test.js"))
      .flatMap((name) => {
        const text = readCode(join(coreOps, name));
        const prefix = name.startsWith("fused/") ? "fused." : "";
        const names = [...text.matchAll(/^export (?:const|(?:async )?function) (\w+)|^export \{ (.*) \};/gm)];
        return names.flatMap(([, one, list = ""]) =>
          (one ?? list)
            .split(",")
            .map((each) => [`${prefix}${each.trim().split(" ").at(-1)}`, join(coreOps, name)] as const),
        );
      }),
  );
  return functionFiles;
}

/** A file without its comments, where functions are named, too. */
function readCode(path: string): string {
  return readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}
