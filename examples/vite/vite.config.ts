// Converts the SavedModels that the page imports.
import { nearside } from "nearside/vite";
import { defineConfig } from "vite";

export default defineConfig({ plugins: [nearside()] });
