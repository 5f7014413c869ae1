// npm run bench -- <name> [options]: runs one benchmark. Each prints ratios from one run, never a verdict.
const benchmarks = {
  converter: () => import("./converter.mjs"),
  "converter-memory": () => import("./converter-memory.mjs"),
  browser: () => import("./browser.mjs"),
  visits: () => import("./visits.mjs"),
  runtime: () => import("./runtime.mjs"),
  precision: () => import("./precision.mjs"),
  products: () => import("./products.mjs"),
  fusion: () => import("./fusion.mjs"),
  weights: () => import("./weights.mjs"),
  streams: () => import("./streams.mjs"),
  images: () => import("./images.mjs"),
  endurance: () => import("./endurance.mjs"),
  quantization: () => import("./quantization.mjs"),
  server: () => import("./server.mjs"),
  "server-json": () => import("./server-json.mjs"),
  "server-memory": () => import("./server-memory.mjs"),
};

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(benchmarks, name ?? "")) {
  console.error(`npm run bench -- ${Object.keys(benchmarks).join("|")} [options]`);
  process.exit(2);
}
const { bench } = await benchmarks[name]();
await bench(args);
