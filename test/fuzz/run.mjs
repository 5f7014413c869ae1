// npm run fuzz [-- --mutations 10000 --seed 1 --models digits,frozen --only 17]: converts damaged models and reports
// each that ends otherwise than in a typed error or a sound model, takes more than 2 s or 500 MB. The model, the seed
// and the index make the same mutation again: `--models NAME --seed N --only INDEX`.
import { fork } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, runnerImport } from "vite";

const { values } = parseArgs({
  options: {
    mutations: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    models: { type: "string" },
    only: { type: "string" },
  },
});

const limits = { seconds: 2, bytes: 500e6 };
const hangMs = 30_000; // the machine may be busy with something else
const mutationsPerChild = 500;

const output = fileURLToPath(new URL(`../results/fuzz-${process.pid}`, import.meta.url));
await build({
  configFile: false,
  logLevel: "warn",
  ssr: { target: "node" },
  build: {
    ssr: true,
    target: "es2022", // Node 20 has no `await using`
    outDir: output,
    emptyOutDir: true,
    rollupOptions: {
      input: fileURLToPath(new URL("child.ts", import.meta.url)),
      output: { entryFileNames: "child.mjs" },
    },
  },
});
const { module } = await runnerImport(fileURLToPath(new URL("subjects.ts", import.meta.url)), { configFile: false });
const subjects = await module.readSubjects(values.models?.split(","));

const counts = {};
const faults = [];
let slowest = { seconds: 0 };
let heaviest = { bytes: 0 };
for (const subject of subjects) {
  const { name } = subject;
  const count = Math.ceil(Number(values.mutations) / subjects.length);
  const indices =
    values.only === undefined ? Array.from({ length: count }, (_, index) => index) : [Number(values.only)];
  await runAll(subject, indices);
  console.log(`${name}: ${JSON.stringify(counts[name])}`);
  printFaults(faults.filter((fault) => fault.name === name));
}
console.log(
  `slowest ${slowest.seconds.toFixed(2)} s (${slowest.what}), heaviest ${(heaviest.bytes / 1e6).toFixed(0)} MB (${heaviest.what})`,
);
const total = Object.values(counts)
  .flatMap(Object.values)
  .reduce((sum, each) => sum + each, 0);
console.log(`\n${total} mutations of ${subjects.length} models with seed ${values.seed}: ${faults.length} faults`);
await rm(output, { recursive: true });
process.exitCode = faults.length === 0 ? 0 : 1;

/** Prints faults; of those that are alike, which their kind and their first lines tell, only the first. */
function printFaults(found) {
  const kinds = new Map();
  for (const { what, problem } of found) {
    const kind = problem
      .replace(/[\d.]+/g, "#")
      .split("\n")
      .slice(0, 4)
      .join("\n");
    kinds.set(kind, [...(kinds.get(kind) ?? []), `${what}: ${problem}`]);
  }
  for (const [first, ...others] of kinds.values()) console.log(`${first}\n(and ${others.length} like it)`);
}

async function runAll(subject, indices) {
  let child;
  let done = 0;
  for (const index of indices) {
    if (child === undefined || done % mutationsPerChild === 0) {
      child?.kill();
      child = await startChild(subject);
    }
    done++;
    let outcome = await runOne(child, index);
    if (isOver(outcome)) {
      // Alone, in a fresh process: what others left in memory, or a busy machine, is not its fault.
      child.kill();
      child = await startChild(subject);
      outcome = await runOne(child, index);
    }
    count(subject.name, index, outcome);
    if (outcome.isDead || isOver(outcome)) {
      child.kill();
      child = undefined;
    }
  }
  child?.kill();
}

function isOver({ seconds, peakBytes }) {
  return seconds > limits.seconds || peakBytes > limits.bytes;
}

function count(name, index, { result, fault, seconds, peakBytes }) {
  const what = `--models ${name} --seed ${values.seed} --only ${index}`;
  counts[name] ??= {};
  counts[name][result] = (counts[name][result] ?? 0) + 1;
  if (seconds > slowest.seconds) slowest = { seconds, what };
  if (peakBytes > heaviest.bytes) heaviest = { bytes: peakBytes, what };
  const problems = [
    ...(fault === null ? [] : [fault]),
    ...(seconds > limits.seconds ? [`${seconds.toFixed(1)} s (${result})`] : []),
    ...(peakBytes > limits.bytes ? [`${(peakBytes / 1e6).toFixed(0)} MB (${result})`] : []),
  ];
  if (problems.length > 0) faults.push({ name, what, problem: problems.join("; ") });
  if (values.only !== undefined) console.log({ result, fault, seconds, megabytes: peakBytes / 1e6 });
}

async function startChild(subject) {
  const child = fork(`${output}/child.mjs`, [], {
    execArgv: ["--expose-gc", "--max-old-space-size=450"],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.errors = "";
  child.stderr.on("data", (text) => {
    child.errors += text;
  });
  child.send(subject);
  return child;
}

/** The outcome of a mutation; one that ends its process or doesn't end is a fault, too. */
function runOne(child, index) {
  return new Promise((resolve) => {
    const settle = (outcome) => {
      clearTimeout(timer);
      child.off("message", settle);
      child.off("exit", onExit);
      resolve(outcome);
    };
    const dead = (fault) => ({ result: "fault", fault, seconds: 0, peakBytes: 0, isDead: true });
    const onExit = (status, signal) =>
      settle(dead(`ended its process: ${status ?? signal} ${child.errors.slice(0, 600)}`));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      settle(dead(`no end after ${hangMs / 1000} s`));
    }, hangMs);
    child.once("message", settle);
    child.once("exit", onExit);
    child.send({ run: Number(values.seed), index });
  });
}
