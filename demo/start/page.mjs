import { fileURLToPath } from "node:url";
import { build, preview } from "vite";

const configFile = fileURLToPath(new URL("../vite.config.ts", import.meta.url));

/** Builds the page into dist/site: static files that know nothing of this machine. */
export async function buildPage() {
  await build({ configFile, logLevel: "warn" });
}

/** Serves the built page on this port, with `config` as its config.json. */
export async function servePage(port, config) {
  const configJson = {
    name: "config-json",
    configurePreviewServer({ middlewares }) {
      middlewares.use("/config.json", (_request, response) => {
        response.setHeader("content-type", "application/json").setHeader("cache-control", "no-store");
        response.end(JSON.stringify(config));
      });
    },
  };
  const listeners = process.listeners("SIGTERM");
  const server = await preview({
    configFile,
    logLevel: "warn",
    plugins: [configJson],
    preview: { host: "127.0.0.1", port, strictPort: true },
  });
  // Vite would exit, with a status of failure, before start.mjs has closed the rest.
  for (const listener of process.listeners("SIGTERM")) {
    if (!listeners.includes(listener)) process.off("SIGTERM", listener);
  }
  return server;
}
