import { importTypeScript } from "../import-typescript.mjs";

/** Runs `browser/bench-images.ts`. */
export async function bench(args) {
  const { benchImages } = await importTypeScript(new URL("./browser/bench-images.ts", import.meta.url));
  await benchImages(args);
}
