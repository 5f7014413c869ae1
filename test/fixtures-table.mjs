// npm run fixtures [-- --only made/nms --backends cpu,wasm]: prints test/fixtures-table.ts's table. Vite compiles the
// TypeScript, which the oldest Node that the project supports can't run.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";

const { values } = parseArgs({ options: { only: { type: "string" }, backends: { type: "string" } } });
const { module } = await runnerImport(fileURLToPath(new URL("./fixtures-table.ts", import.meta.url)), {
  configFile: false,
  oxc: { target: "es2022" }, // Node 20 has no `await using`
});
await module.printFixturesTable({ only: values.only, backends: values.backends?.split(",") });
process.exit(); // TensorFlow.js's backends keep the process alive
