import { importTypeScript } from "../import-typescript.mjs";

/** Runs `browser/bench-streams.ts`. */
export async function bench(args) {
  const { benchStreams } = await importTypeScript(new URL("./browser/bench-streams.ts", import.meta.url));
  await benchStreams(args);
}
