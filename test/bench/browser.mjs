import { importTypeScript } from "../import-typescript.mjs";

/** Runs `browser/bench-browser.ts`. */
export async function bench(args) {
  const { benchBrowser } = await importTypeScript(new URL("./browser/bench-browser.ts", import.meta.url));
  await benchBrowser(args);
}
