// A server that tells how long its event loop was held since it was last asked: by the clock, and of that by its own
// work, the processor time of its thread, which other work on the machine doesn't change. Linux tells that.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createServer } from "@nearside/server";

const models = [{ name: "double", basePath: process.argv[2] }];
const server = createServer({ models, host: "127.0.0.1", restPort: 0, backend: "wasm" });
await server.listen();
const resolutionMs = 1;
const delays = monitorEventLoopDelay({ resolution: resolutionMs });
delays.enable();
let longestWorkMs = 0;
let lastMs = workMs();
setInterval(() => {
  const nowMs = workMs();
  longestWorkMs = Math.max(longestWorkMs, nowMs - lastMs);
  lastMs = nowMs;
}, resolutionMs);
process.on("message", () => {
  // The timer that measures is due after its resolution, so that is no delay.
  const toMs = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolutionMs);
  process.send({ maxMs: toMs(delays.max), p99Ms: toMs(delays.percentile(99)), workMs: longestWorkMs });
  delays.reset();
  longestWorkMs = 0;
});
process.send(server.url);

/** The processor time that this thread has had. */
function workMs() {
  return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6;
}
