// npm run bench -- server-json [--requests 20]: how long JSON of a 224×224×3 image, in requests and in answers of the same
// size, holds the server's event loop, and what that means for small requests beside it.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { performTask } from "../../packages/server/dist/json-threads/json-tasks.js";
import { restRequest } from "../../packages/server/dist/load/load-request.js";
import { httpSender } from "../../packages/server/dist/load/send-requests.js";
import { median } from "./measure-process.mjs";

const values = 224 * 224 * 3;

export async function bench(args) {
  const { values: flags } = parseArgs({ args, options: { requests: { type: "string", default: "20" } } });
  const { module } = await runnerImport(
    fileURLToPath(new URL("../../packages/server/testing/doubling-model.ts", import.meta.url)),
  );
  const folder = await mkdtemp(join(tmpdir(), "nearside-json-"));
  await module.writeDoublingModel(join(folder, "1"));
  const child = fork(fileURLToPath(new URL("./server-json-child.mjs", import.meta.url)), [folder]);
  try {
    const [url] = await once(child, "message");
    const delays = async () => {
      child.send("delays");
      return (await once(child, "message"))[0];
    };
    const senderOf = (body) => httpSender(new URL(url), restRequest("double", Buffer.from(body)));
    const image = Array.from({ length: values }, (_, at) => ((at * 7919) % 256) / 255);
    const largeBody = JSON.stringify({
      inputs: Array.from({ length: values / 2 }, (_, row) => image.slice(row * 2, row * 2 + 2)),
    });
    const [large, small] = [senderOf(largeBody), senderOf('{"inputs": [[1, 2]]}')];
    timeHere(largeBody);
    for (const { send } of [large, small]) for (let count = 0; count < 5; count++) await requireSuccess(send);
    await delays();
    const alone = await times(small.send, 200);
    const quiet = await delays();
    const beside = [];
    let isOver = false;
    const others = (async () => {
      while (!isOver) beside.push(...(await times(small.send, 1)));
    })();
    const largeMs = await times(large.send, Number(flags.requests));
    isOver = true;
    await others;
    const busy = await delays();
    for (const sender of [large, small]) sender.close();
    console.log(
      `a request of ${(largeBody.length / 1e6).toFixed(1)} MB of JSON and its answer: p50 ${ms(median(largeMs))}`,
    );
    const describe = ({ workMs, maxMs, p99Ms }) =>
      `${ms(workMs)} by its own work, ${ms(maxMs)} by the clock (p99 ${ms(p99Ms)})`;
    console.log(`the event loop was held for at most ${describe(busy)}; without such requests ${describe(quiet)}`);
    console.log(
      `small requests beside them: p50 ${ms(median(beside))}, the slowest ${ms(Math.max(...beside))}; without p50 ${ms(median(alone))}, the slowest ${ms(Math.max(...alone))}`,
    );
  } finally {
    child.kill();
    await once(child, "exit");
    await rm(folder, { recursive: true });
  }
}

/** What reading and writing the same JSON takes: so long would it hold the loop that does it. */
function timeHere(text) {
  const spec = { dtype: "float32", shape: [null, 2] };
  const signatures = new Map([["serving_default", { inputs: { x: spec }, outputs: { y: spec } }]]);
  const body = Buffer.from(text);
  const taken = [[], []];
  for (let count = 0; count < 5; count++) {
    const startMs = performance.now();
    const { request } = performTask("readPredict", { body, signatures });
    const readMs = performance.now();
    performTask("writePredict", { form: "column", outputs: request.inputs });
    taken[0].push(readMs - startMs);
    taken[1].push(performance.now() - readMs);
  }
  console.log(`reading it takes ${ms(median(taken[0]))}, writing ${ms(median(taken[1]))} of a thread`);
}

async function times(send, count) {
  const taken = [];
  for (let done = 0; done < count; done++) {
    const startMs = performance.now();
    await requireSuccess(send);
    taken.push(performance.now() - startMs);
  }
  return taken;
}

async function requireSuccess(send) {
  const error = await send();
  if (error !== undefined) throw new Error(error);
}

function ms(number) {
  return `${number.toFixed(1)} ms`;
}
