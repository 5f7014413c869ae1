import { basename, dirname, resolve } from "node:path";
import { type ConvertOptions, convert, writeFiles } from "@nearside/converter";
import { readDirectory } from "@nearside/converter/node";
import type { Plugin, ResolvedConfig } from "vite";

export interface NearsideOptions {
  /** How models are converted. */
  readonly convert?: Omit<ConvertOptions, "signal" | "onProgress">;
}

/** What marks an import of a SavedModel. */
const query = "?nearside";
/** Where the development server has models. */
const servedBelow = "@nearside/";

type ModelFiles = ReadonlyMap<string, Blob>;

/**
 * A plugin of Vite: `import url from "./saved_model?nearside"` is the URL of a `model.json` that is converted from that
 * folder, for `openSession`. A build has its files among the assets, under names that follow from their content; the
 * development server converts again, and reloads the page, when the SavedModel changes.
 */
export function nearside({ convert: options = {} }: NearsideOptions = {}): Plugin {
  const converted = new Map<string, Promise<ModelFiles>>(); // by folder, as the development server has them
  let config: ResolvedConfig;
  return {
    name: "nearside",
    enforce: "pre",
    config: () => ({ optimizeDeps: { exclude: ["nearside"] } }), // so that it finds its workers
    configResolved(resolved) {
      config = resolved;
    },
    resolveId(source, importer) {
      if (!source.endsWith(query) || !importer) return;
      return `${resolve(dirname(importer), source.slice(0, -query.length))}${query}`;
    },
    async load(id) {
      if (!id.endsWith(query)) return;
      const folder = id.slice(0, -query.length);
      for (const name of watchedFiles) this.addWatchFile(`${folder}/${name}`);
      const converting = convertFolder(folder, options);
      converted.set(folder, converting);
      const files = await converting;
      const served = `${servedBelow}${encodeURIComponent(folder)}`;
      const place = config.command === "serve" ? served : `${config.build.assetsDir}/${await nameOf(folder, files)}`;
      if (config.command === "build") {
        for (const [path, blob] of files) {
          this.emitFile({
            type: "asset",
            fileName: `${place}/${path}`,
            source: new Uint8Array(await blob.arrayBuffer()),
          });
        }
      }
      return `export default ${JSON.stringify(`${config.base}${place}/model.json`)};`;
    },
    configureServer(server) {
      server.middlewares.use(async (request, response, next) => {
        const path = new URL(request.url ?? "/", "http://localhost").pathname;
        const [folder, ...rest] = path.startsWith(config.base + servedBelow)
          ? path.slice((config.base + servedBelow).length).split("/")
          : [];
        const files = folder === undefined ? undefined : await converted.get(decodeURIComponent(folder));
        const blob = files?.get(rest.join("/"));
        if (!blob) return next();
        response.setHeader("cache-control", "no-cache");
        response.end(new Uint8Array(await blob.arrayBuffer()));
      });
    },
  };
}

/** What changes when a SavedModel is written anew. */
const watchedFiles = ["saved_model.pb", "variables/variables.index"];

async function convertFolder(folder: string, options: ConvertOptions): Promise<ModelFiles> {
  const files = new Map<string, Blob>();
  await convert(readDirectory(folder), writeFiles(files), options);
  files.delete("model.d.ts"); // for people
  return files;
}

/** A folder's name that follows from the model's content: `model.json` has the hashes of its shards. */
async function nameOf(folder: string, files: ModelFiles): Promise<string> {
  const manifest = await files.get("model.json")?.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", manifest ?? new ArrayBuffer(0)));
  const hash = Array.from(digest.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${basename(folder)}-${hash}`;
}
