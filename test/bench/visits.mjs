import { importTypeScript } from "../import-typescript.mjs";

/** Runs `browser/bench-visits.ts`. */
export async function bench(args) {
  const { benchVisits } = await importTypeScript(new URL("./browser/bench-visits.ts", import.meta.url));
  await benchVisits(args);
}
