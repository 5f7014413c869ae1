// npm run fixtures [-- --only made/nms --backends cpu,wasm]: prints test/fixtures-table.ts's table.
import { parseArgs } from "node:util";
import { importTypeScript } from "./import-typescript.mjs";

const { values } = parseArgs({ options: { only: { type: "string" }, backends: { type: "string" } } });
const { printFixturesTable } = await importTypeScript(new URL("./fixtures-table.ts", import.meta.url));
await printFixturesTable({ only: values.only, backends: values.backends?.split(",") });
process.exit(); // TensorFlow.js's backends keep the process alive
