import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = ["packages/core", "packages/runtime", "packages/sdk", "packages/server", "converter"];

interface PackageJson {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** The paths that `npm pack` would put into the package's tarball. */
function packedFiles(folder: string): string[] {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root + folder });
  const answer: unknown = JSON.parse(output.toString());
  const [packed] = Object.values(answer as Record<string, { files: { path: string }[] }>); // a list, or by name
  return (packed?.files ?? []).map(({ path }) => path);
}

describe.each(folders)("the package of %s", (folder) => {
  const json = JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8")) as PackageJson;
  const files = packedFiles(folder);

  test("has the files that its exports and its commands name", () => {
    const named = Object.values(json.exports).flatMap(({ types, default: file }) => [types, file]);
    const patterns = [...named, ...Object.values(json.bin ?? {})].map((path) => path.replace(/^\.\//, ""));
    for (const pattern of patterns) {
      const [start, end] = pattern.split("*") as [string, string?];
      const isThere = files.some((file) =>
        end === undefined ? file === start : file.startsWith(start) && file.endsWith(end),
      );
      expect(isThere, `${pattern} among ${files.length} files`).toBe(true);
    }
  });

  test("has a licence and a README, and no tests, source maps or build records", () => {
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    expect(files.filter((file) => /\.test\.|\.map$|\.tsbuildinfo$|^src\//.test(file))).toEqual([]);
  });
});

test("importing nearside in Node, as a server-side render does, touches no browser global", () => {
  const script = `
    const touched = [];
    for (const name of ["window", "document", "indexedDB", "Worker", "location", "navigator", "self"]) {
      Object.defineProperty(globalThis, name, { configurable: true, get() { touched.push(name); } });
    }
    await import("nearside");
    console.log(JSON.stringify(touched));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: `${root}test` });
  expect(JSON.parse(output.toString())).toEqual([]);
});
