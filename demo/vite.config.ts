import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  appType: "mpa", // a missing file is a 404, not the page
  base: "./", // so that the built page works below any path
  build: { outDir: "dist/site", target: "es2022" },
  worker: { format: "es" }, // the converter's is a module
});
