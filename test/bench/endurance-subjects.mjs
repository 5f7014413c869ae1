import { getEventListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fromWireError, parseManifest } from "@nearside/core";
import { openSession } from "@nearside/server";
import { importTypeScript } from "../import-typescript.mjs";

/** A model in this process. */
export async function nodeSubject(folder, backend) {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc");
  const { signal } = new AbortController(); // one for all runs, as a page has that may end them all
  let session;
  let memory = { deviceBytes: 0, tensors: 0 };
  return {
    async open() {
      session = await openSession(folder, { backend });
    },
    async run(count) {
      const inputs = anyInputs(session.signature);
      for (let run = 0; run < count; run++) await session.run(inputs, { signal });
      memory = await session.memory();
    },
    async close() {
      await session.close();
    },
    async measure() {
      for (let round = 0; round < 3; round++) {
        collectGarbage();
        await new Promise((resolve) => setImmediate(resolve)); // finalisers run in between
      }
      const listeners = getEventListeners(signal, "abort").length;
      const handles = process.getActiveResourcesInfo().length;
      return { ...memory, heapBytes: process.memoryUsage().heapUsed, listeners, handles };
    },
    end: async () => {},
  };
}

/** A model in a worker of a real browser, through the SDK. */
export async function browserSubject(folder, backend) {
  const { default: buildHarness } = await importTypeScript(new URL("../build-harness.ts", import.meta.url));
  const { openHarness } = await importTypeScript(new URL("../harness-page.ts", import.meta.url));
  await buildHarness();
  const harness = await openHarness(dirname(folder));
  const { page } = harness;
  const devtools = await connectDevtools(page);
  const { signature } = parseManifest(await readFile(join(folder, "model.json"), "utf8"));
  const inputs = Object.fromEntries(
    Object.entries(anyInputs(signature)).map(([name, tensor]) => [name, { ...tensor, data: Array.from(tensor.data) }]),
  );
  const target = { open: `/models/${basename(folder)}/model.json`, options: { backend } };
  let memory = { deviceBytes: 0, tensors: 0 };
  let workerHeapBytes = 0;
  return {
    async open() {
      const { error } = await page.evaluate((target) => globalThis.harness.keep(target), target);
      if (error) throw fromWireError(error);
    },
    async run(count) {
      await page.evaluate(([inputs, count]) => globalThis.harness.repeatKept(inputs, count), [inputs, count]);
      memory = await page.evaluate(() => globalThis.harness.memoryOfKept());
      workerHeapBytes = await devtools.workerHeapBytes();
    },
    close: () => page.evaluate(() => globalThis.harness.closeKept()),
    async measure() {
      const { heapBytes, listeners } = await devtools.measurePage();
      return { ...memory, heapBytes, workerHeapBytes, listeners, workers: page.workers().length };
    },
    end: () => harness[Symbol.asyncDispose](),
  };
}

/** The page's and its newest worker's heaps, each after a collection. */
async function connectDevtools(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  let worker;
  session.on("Target.attachedToTarget", ({ sessionId }) => {
    worker = sessionId;
  });
  await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  let lastId = 0;
  const askWorker = (method) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const onMessage = ({ message }) => {
        const reply = JSON.parse(message);
        if (reply.id !== id) return;
        session.off("Target.receivedMessageFromTarget", onMessage);
        resolve(reply.result);
      };
      session.on("Target.receivedMessageFromTarget", onMessage);
      session
        .send("Target.sendMessageToTarget", { sessionId: worker, message: JSON.stringify({ id, method }) })
        .catch(reject);
    });
  return {
    async measurePage() {
      await session.send("HeapProfiler.collectGarbage");
      const { metrics } = await session.send("Performance.getMetrics");
      const { JSHeapUsedSize, JSEventListeners } = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
      return { heapBytes: JSHeapUsedSize, listeners: JSEventListeners };
    },
    async workerHeapBytes() {
      await askWorker("HeapProfiler.collectGarbage");
      return (await askWorker("Runtime.getHeapUsage")).usedSize;
    },
  };
}

/** Halves, or ones where only whole numbers fit, in the smallest shapes. */
function anyInputs({ inputs }) {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => {
      if (dtype !== "float32" && dtype !== "int32") throw new Error(`inputs of ${dtype}: not measured here`);
      const sizes = (shape ?? []).map((size) => size ?? 1);
      const count = sizes.reduce((product, size) => product * size, 1);
      const data = dtype === "float32" ? new Float32Array(count).fill(0.5) : new Int32Array(count).fill(1);
      return [name, { dtype, shape: sizes, data }];
    }),
  );
}
