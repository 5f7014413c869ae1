import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openSession } from "@nearside/server";
import { generateLoad } from "../../packages/server/dist/load/generate-load.js";
import { httpProtocols, loadInputs } from "../../packages/server/dist/load/load-request.js";
import { httpSender } from "../../packages/server/dist/load/send-requests.js";
import { exampleModels } from "./find-models.mjs";
import { median } from "./measure-process.mjs";
import { writeDenseModel } from "./write-dense-model.mjs";

const usage =
  "npm run bench -- server [--backend wasm|tensorflow] [--batched MODEL] [--python PYTHON --single SAVED_MODEL] [--only overhead|batching|tensorflow] [--rounds N]";
const command = fileURLToPath(new URL("../../packages/server/bin/nearside-server.js", import.meta.url));
const digits = join(exampleModels, "digits/saved_model");
const clients = 16;
/** How many runs and requests go before: V8 has compiled what they take by then, of the server as of the session here. */
const warmUpRuns = 3000;

/**
 * What a server adds to a model, in one run: the p50 of a request of one client over what `session.run` takes in this
 * process (on digits, wasm, in turn); requests per second of 16 clients with batching over those without (on a model made here,
 * or the one given); and where a Python with
 * TensorFlow is given, the p50 of a request to TensorFlow over that of the same SavedModel in the Python's process.
 * Everything is measured in turn, round after round, and the medians of the rounds count.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      backend: { type: "string", default: "wasm" },
      batched: { type: "string" },
      single: { type: "string" },
      python: { type: "string" },
      only: { type: "string" },
      rounds: { type: "string", default: "5" },
      output: { type: "string", default: fileURLToPath(new URL("../results", import.meta.url)) },
    },
  });
  const rounds = Number(values.rounds);
  const lacksPeer = values.only === "tensorflow" || values.python ? !(values.python && values.single) : false;
  if (!Number.isInteger(rounds) || rounds < 1 || lacksPeer) throw new Error(usage);
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  console.log(`Node ${process.version}, ${cpus()[0]?.model}, ${cpus().length} cores, medians of ${rounds} rounds`);
  try {
    const parts = { overhead: benchOverhead, batching: benchBatching, tensorflow: benchTensorflow };
    const wanted = values.only ? [values.only] : ["overhead", "batching", ...(values.python ? ["tensorflow"] : [])];
    const results = {};
    for (const part of wanted) results[part] = await withResources((keep) => parts[part](keep, folder, values, rounds));
    await mkdir(values.output, { recursive: true });
    const file = join(values.output, "server.json");
    const surroundings = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, rounds };
    await writeFile(file, `${JSON.stringify({ ...surroundings, ...results }, null, 2)}\n`);
    console.log(`written: ${file}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs what keeps resources, and closes them when it is over, the last first. */
async function withResources(run) {
  const kept = [];
  try {
    return await run((resource) => {
      kept.unshift(resource);
      return resource;
    });
  } finally {
    for (const resource of kept) await resource.close();
  }
}

async function benchOverhead(keep, folder, _values, rounds) {
  const server = keep(await serve(digits, folder, "--backend=wasm"));
  const session = keep(await openSession(digits, { backend: "wasm", cacheDir: folder }));
  const inputs = loadInputs(session.signature, 1);
  const { send } = keepSender(keep, server.url, httpProtocols.binary("m", inputs));
  const ten = async (work) => {
    const times = [];
    for (let index = 0; index < 10; index++) times.push(await timed(work));
    return median(times);
  };
  const [here, there, added] = [[], [], []];
  for (let index = -warmUpRuns; index < rounds * 300; index += 10) {
    // Ten by ten, and compared ten with ten, since the machine is now faster, now slower.
    const runMs = await ten(() => session.run(inputs));
    const requestMs = await ten(() => requireSuccess(send));
    if (index < 0) continue;
    here.push(runMs);
    there.push(requestMs);
    added.push(requestMs - runMs);
  }
  const [runMs, requestMs, addedMs] = [here, there, added].map(median);
  console.log(`digits on wasm: session.run ${ms(runMs)}, a binary request ${ms(requestMs)}: ${ms(addedMs)} more`);
  return { runMs, requestMs, addedMs };
}

async function benchBatching(keep, folder, { backend, batched: given }, rounds) {
  const batched = given ?? join(folder, "512 dense layers", "1");
  if (!given) await writeDenseModel(batched);
  const parameters = join(folder, "batching.config");
  await writeFile(parameters, `max_batch_size { value: ${clients} }`);
  const batching = ["--enable_batching", `--batching_parameters_file=${parameters}`];
  const off = keep(await serve(batched, folder, `--backend=${backend}`));
  const on = keep(await serve(batched, folder, `--backend=${backend}`, ...batching));
  const request = httpProtocols.binary("m", await inputsOf(batched, folder));
  const senders = [off, on].map(({ url }) => keepSender(keep, url, request));
  const perSecond = [[], []];
  for (let round = -1; round < rounds; round++) {
    for (const [index, { send }] of senders.entries()) {
      const { latenciesMs, errors, seconds } = await generateLoad(send, { clients }, round < 0 ? 1000 : 3000);
      if (errors.size > 0) throw new Error(`requests failed: ${JSON.stringify([...errors])}`);
      if (round >= 0) perSecond[index].push(latenciesMs.length / seconds);
    }
  }
  const [without, withBatches] = perSecond.map(median);
  const ratio = withBatches / without;
  console.log(
    `${batched} on ${backend}, ${clients} clients: ${without.toFixed(0)} requests/s, batched ${withBatches.toFixed(0)}: ${ratio.toFixed(2)}×`,
  );
  return { model: batched, backend, clients, perSecond: without, batchedPerSecond: withBatches, ratio };
}

async function benchTensorflow(keep, folder, { python, single }, rounds) {
  const server = keep(await serve(single, folder, "--backend=tensorflow"));
  const peer = keep(startPython(python, single));
  const { send } = keepSender(keep, server.url, httpProtocols.binary("m", await inputsOf(single, folder)));
  const [theirs, ours] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const pythonMs = await peer.measure();
    const times = [];
    for (let count = 0; count < 50; count++) times.push(await timed(() => requireSuccess(send)));
    if (round < 0) continue;
    theirs.push(pythonMs);
    ours.push(median(times));
  }
  const [pythonMs, requestMs] = [median(theirs), median(ours)];
  const ratio = requestMs / pythonMs;
  console.log(
    `${single}: in Python ${ms(pythonMs)}, a binary request to TensorFlow ${ms(requestMs)}: ${ratio.toFixed(2)}×`,
  );
  return { model: single, pythonMs, requestMs, ratio };
}

/** A server of one model, named `m`, as a user starts it. */
async function serve(basePath, cacheDir, ...flags) {
  const fixed = ["--model_name=m", "--host=127.0.0.1", "--rest_api_port=0", "--port=0", `--cache_dir=${cacheDir}`];
  const child = spawn(process.execPath, [command, ...fixed, `--model_base_path=${basePath}`, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith("REST: ")) break;
  }
  const address = lines.at(-1)?.match(/^REST: (.*)$/)?.[1];
  if (!address || !lines.some((line) => line.includes("is available"))) throw new Error(lines.join("\n"));
  child.stdout.resume();
  return {
    url: new URL(address),
    close: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

function keepSender(keep, url, request) {
  return keep(httpSender(url, request));
}

/** A Python that measures the SavedModel in its own process, when it is told to. */
function startPython(python, savedModel) {
  const script = fileURLToPath(new URL("./run-saved-model.py", import.meta.url));
  const child = spawn(python, [script, savedModel], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    measure: async () => {
      child.stdin.write("50\n");
      const { value, done } = await lines.next();
      if (done) throw new Error(`${python} ended; does it have TensorFlow?`);
      return Number(value);
    },
    close: () => child.stdin.end(),
  };
}

async function inputsOf(savedModel, cacheDir) {
  const session = await openSession(savedModel, { backend: "cpu", cacheDir, warmUp: false });
  await session.close();
  return loadInputs(session.signature, 1);
}

async function requireSuccess(send) {
  const error = await send();
  if (error !== undefined) throw new Error(error);
}

async function timed(work) {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function ms(number) {
  return `${number.toFixed(2)} ms`;
}
