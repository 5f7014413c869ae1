const head = `// Written by nearside/vite: what the models take and return that are imported with "?nearside". Keep it with the
// sources, so that they compile before Vite has run; delete it to forget models that are gone.
`;

/** The pattern of a TypeScript ambient module for an import: relative ones have none but by their end. */
export function importPattern(source: string): string {
  return source.replace(/^(\.{0,2}\/)+/, "*/");
}

/**
 * The file of declarations with one more, or a new one, for what matches the pattern. `types` is the source of the
 * model's `model.d.ts`; without, nothing is known of it. TypeScript takes the first pattern that matches, so the longest
 * come first.
 */
export function declareModel(file: string, pattern: string, types: string | undefined): string {
  const declared = [...file.matchAll(/^declare module "(.*)" \{\n([\s\S]*?)^\}\n/gm)].map(
    ([, known = "", body = ""]) => [known, body] as const,
  );
  const model = types === undefined ? "" : "<Model>";
  const lines = [
    ...(types ?? "").split("\n"),
    `const url: import("nearside").ModelUrl${model};`,
    "export default url;",
  ];
  const body = lines.map((line) => (line === "" ? "\n" : `  ${line}\n`)).join("");
  const all = new Map([...declared, [pattern, body]]);
  const sorted = [...all].sort(([a], [b]) => b.length - a.length || (a < b ? -1 : 1));
  return head + sorted.map(([pattern, body]) => `\ndeclare module "${pattern}" {\n${body}}\n`).join("");
}
