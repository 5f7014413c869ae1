import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ConvertOptions } from "@nearside/converter";
import type { Plugin, ResolvedConfig, ViteDevServer } from "vite";
import { type ConvertedModel, convertModel } from "./convert-model.ts";
import { declareModel, importPattern } from "./declare-model.ts";

export interface NearsideOptions {
  /** How to convert the models, as for `convert` of `@nearside/converter`. */
  readonly convert?: Omit<ConvertOptions, "signal" | "onProgress">;
  /** Where to declare for TypeScript what the models take and return (default `nearside-models.d.ts` in the root). */
  readonly types?: string | false;
}

/**
 * Makes `import model from "./saved_model?nearside"` the URL of the converted SavedModel, for `openSession(model)`. It
 * is converted when it is imported, and again when its files change (in a dev server, or a build with `--watch`); a build has it among its assets, in files named by
 * their content. What can't be converted is an error of Vite's, with the converter's table.
 */
export function nearside({ convert = {}, types = "nearside-models.d.ts" }: NearsideOptions = {}): Plugin {
  let config: ResolvedConfig;
  let server: ViteDevServer | undefined;
  const conversions = new Map<string, Promise<ConvertedModel>>();
  /** The conversions that succeeded, by the SavedModel's folder. */
  const models = new Map<string, ConvertedModel>();
  /** The folders that each import was found to name: one, where importers agree. */
  const imports = new Map<string, Set<string>>();

  async function converted(folder: string): Promise<ConvertedModel> {
    const running = conversions.get(folder) ?? convertModel(folder, convert);
    conversions.set(folder, running);
    const model = await running;
    if (conversions.get(folder) === running) models.set(folder, model); // else its files changed meanwhile
    return model;
  }

  function declareTypes(): void {
    if (types === false) return;
    const file = resolve(config.root, types);
    const before = existsSync(file) ? readFileSync(file, "utf8") : ""; // at once: other models are loaded meanwhile
    let after = before;
    for (const [pattern, folders] of imports) {
      const [model, ...others] = [...folders].map((folder) => models.get(folder));
      if (model) after = declareModel(after, pattern, others.length === 0 ? model.types : undefined);
    }
    if (after !== before) writeFileSync(file, after);
  }

  /** The SavedModel that a file is part of. */
  const folderOf = (file: string) =>
    [...imports.values()].flatMap((set) => [...set]).find((folder) => file.startsWith(`${folder}/`));

  return {
    name: "nearside",
    enforce: "pre",

    config: () => ({ optimizeDeps: { exclude: ["nearside"] } }), // its worker scripts lie beside it

    configResolved(resolved) {
      config = resolved;
    },

    async resolveId(source, importer) {
      if (!source.endsWith(suffix)) return undefined;
      const path = source.slice(0, -suffix.length);
      const file =
        (await this.resolve(`${path}/saved_model.pb`, importer)) ??
        (await this.resolve(`${path}/saved_model.pbtxt`, importer));
      if (!file) return this.error(`${source}: there is no SavedModel; expected a folder with a saved_model.pb`);
      const folder = dirname(file.id);
      server?.watcher.add(folder);
      if (importer !== undefined) {
        const pattern = importPattern(source);
        const folders = imports.get(pattern) ?? new Set();
        imports.set(pattern, folders.add(folder));
        if (folders.size > 1) this.warn(`"${source}" names several models, so its types are unknown; give them names`);
      }
      return folder + suffix;
    },

    async load(id) {
      if (!id.endsWith(suffix)) return undefined;
      const source = id.slice(0, -suffix.length);
      if (this.meta.watchMode && !server) {
        for (const name of readdirSync(source, { recursive: true, encoding: "utf8" }))
          this.addWatchFile(join(source, name));
      }
      const model = await converted(source);
      declareTypes();
      if (server) return `export default ${JSON.stringify(config.base + devPath(model, manifestName))};`;
      const folder = config.build.assetsDir;
      for (const [path, bytes] of model.shards) {
        this.emitFile({ type: "asset", fileName: `${folder}/${path}`, source: bytes });
      }
      const fileName = `${folder}/model-${model.hash}.json`; // beside its shards, which it names
      const manifest = this.emitFile({ type: "asset", fileName, source: model.manifest });
      return `export default import.meta.ROLLUP_FILE_URL_${manifest};`;
    },

    configureServer(started) {
      server = started;
      started.middlewares.use((request, response, next) => {
        const path = request.url?.split("?")[0];
        for (const model of models.values()) {
          for (const [name, bytes] of [[manifestName, model.manifest] as const, ...model.shards]) {
            if (path !== config.base + devPath(model, name)) continue;
            response.setHeader("content-type", name === manifestName ? "application/json" : "application/octet-stream");
            response.end(bytes);
            return;
          }
        }
        next();
      });
    },

    watchChange(file) {
      const folder = folderOf(file);
      if (folder !== undefined && !server) conversions.delete(folder); // of a build that watches; see hotUpdate
    },

    async hotUpdate({ file }) {
      const folder = folderOf(file);
      if (folder === undefined) return undefined;
      const { name, moduleGraph, hot } = this.environment;
      const modules = [...(moduleGraph.getModulesByFile(folder) ?? [])];
      if (name !== "client") return modules; // of the same change
      const wasConverted = models.has(folder);
      conversions.delete(folder);
      for (const module of modules) moduleGraph.invalidateModule(module); // what is thrown below keeps Vite from it
      await converted(folder); // Vite sends what this throws to the page as it is
      // Vite sends no update of a module that was never loaded, as where its model couldn't be converted.
      if (!wasConverted) hot.send({ type: "full-reload" });
      return modules;
    },
  };
}

const suffix = "?nearside";
const manifestName = "model.json";

/** Where the dev server has a file, below its base. Another version is another URL. */
function devPath({ hash }: ConvertedModel, name: string): string {
  return `@nearside/${hash}/${name}`;
}
