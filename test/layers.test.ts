import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What each layer may import besides its own files. Down only, never sideways, never up. */
const layers = {
  "packages/core": [],
  converter: ["@nearside/core", "@dagrejs/dagre"],
  "packages/runtime": ["@nearside/core", "@tensorflow/"],
  "packages/sdk": ["@nearside/core", "@nearside/runtime", "idb-keyval"],
  "packages/server": [
    "@nearside/core",
    "@nearside/runtime",
    "@nearside/converter",
    "fastify",
    "@fastify/",
    "@grpc/grpc-js",
    "@opentelemetry/",
    "pino",
    "prom-client",
    "rate-limiter-flexible",
    "webgpu",
  ],
} as const;

type Layer = keyof typeof layers;

/** The files of a layer that ship: no tests. */
function sources(layer: Layer): { path: string; text: string }[] {
  const folder = `${root}${layer}/src`;
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(folder, name));
  return names.map((name) => ({ path: relative(root, name).split(sep).join("/"), text: readFileSync(name, "utf8") }));
}

/** Every module that a file imports, statically, dynamically or for its types. */
function imports(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const pattern = /^(?:import|export)\b[^;"]*?\bfrom "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...code.matchAll(pattern)].map((match) => (match[1] ?? match[2] ?? match[3]) as string);
}

/** What one file may import that others of its layer may not: an optional peer. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  "converter/src/open-model.ts": ["@nearside/runtime"],
  "packages/sdk/src/react/use-session.ts": ["react"],
  "packages/sdk/src/vite/convert-model.ts": ["@nearside/converter"],
  "packages/sdk/src/vite/declare-model.ts": ["nearside"], // in the text that it writes
  "packages/sdk/src/vite/nearside.ts": ["@nearside/converter", "vite"],
};

const isEntryOfNode = (path: string) =>
  /^packages\/(?:server|sdk\/src\/vite)\//.test(path) || /^converter\/src\/(cli|node)\.ts$/.test(path);

describe.each(Object.keys(layers) as Layer[])("%s", (layer) => {
  const files = sources(layer);

  test("has sources", () => {
    expect(files.length).toBeGreaterThan(0);
  });

  test("imports only what lies below it", () => {
    const wrong = files.flatMap(({ path, text }) => {
      const allowed: readonly string[] = [...layers[layer], ...(exceptions[path] ?? [])];
      return imports(text)
        .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
        .filter(
          (name) => !allowed.some((prefix) => name === prefix || name.startsWith(`${prefix.replace(/\/$/, "")}/`)),
        )
        .map((name) => `${path} imports ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test("imports Node's modules only where it is Node's", () => {
    const wrong = files.filter(
      ({ path, text }) => !isEntryOfNode(path) && imports(text).some((n) => n.startsWith("node:")),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test("leaves workers and IndexedDB to the SDK", () => {
    const naming = files.filter(({ text }) => /\bnew (Shared)?Worker\b|\bindexedDB\b/.test(text));
    expect(naming.map(({ path }) => path).filter((path) => !path.startsWith("packages/sdk/"))).toEqual([]);
  });

  test("keeps every file under 300 lines, tables exempt", () => {
    const long = files.filter(
      ({ path, text }) => text.split("\n").length > 300 && !/(ops|messages|protos?)\.ts$/.test(path),
    );
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});
