import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { browserSubject, nodeSubject } from "./endurance-subjects.mjs";
import { exampleModels, findModels } from "./find-models.mjs";

/** Where a model endures. A subject is opened, run and closed as often as wanted, and tells what there is of it. */
const places = {
  wasm: (folder) => nodeSubject(folder, "wasm"),
  cpu: (folder) => nodeSubject(folder, "cpu"),
  webgpu: (folder) => nodeSubject(folder, "webgpu"),
  "browser-wasm": (folder) => browserSubject(folder, "wasm"),
  "browser-webgpu": (folder) => browserSubject(folder, "webgpu"),
};
const usage = `endurance [--models DIR] [--on ${Object.keys(places).join(",")}] [--runs N] [--opens N]`;
const pointsPerCurve = 10;

/**
 * What many runs of a session, and many sessions one after the other, leave behind: a curve of bytes on the device,
 * tensors, JavaScript's heap after a collection, listeners and threads, and how much of each a run or an opening adds
 * over the second half of it.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: exampleModels },
      on: { type: "string", default: Object.keys(places).join(",") },
      runs: { type: "string", default: "10000" },
      opens: { type: "string", default: "100" },
    },
  });
  const [runs, opens] = [Number(values.runs), Number(values.opens)];
  const chosen = values.on.split(",").map((name) => [name, places[name]]);
  if (!(runs > 0) || !(opens > 0) || chosen.some(([, start]) => !start)) throw new Error(`npm run bench -- ${usage}`);
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  try {
    for (const { name, savedModel } of await findModels(values.models, usage)) {
      await convert(readDirectory(savedModel), writeDirectory(join(folder, name)));
      for (const [place, start] of chosen)
        await endure(`${name} on ${place}`, await start(join(folder, name)), runs, opens);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function endure(name, subject, runs, opens) {
  try {
    await subject.open();
    await drawCurve(name, "runs", runs, subject, (count) => subject.run(count));
    await subject.close();
    await drawCurve(name, "sessions", opens, subject, async (count) => {
      for (let opened = 0; opened < count; opened++) {
        await subject.open();
        await subject.run(1);
        await subject.close();
      }
    });
  } catch (error) {
    if (error.code !== "no-backend") throw error;
    console.log(`${name}: left out, ${error.message}`);
  } finally {
    await subject.end();
  }
}

async function drawCurve(name, unit, count, subject, advance) {
  const points = [];
  for (let step = 0; step <= pointsPerCurve; step++) {
    const at = Math.round((step / pointsPerCurve) * count);
    await advance(at - (points.at(-1)?.at ?? 0));
    const found = await subject.measure();
    points.push({ at, ...found });
    console.log(`${name}, ${at} ${unit}: ${list(found, (value) => value)}`);
  }
  const half = points.slice(points.length / 2);
  const added = Object.keys(points[0]).filter((key) => key !== "at");
  const slopes = Object.fromEntries(added.map((key) => [key, slope(half, key)]));
  console.log(`${name}, added by one of the later ${unit}: ${list(slopes, (value) => value.toPrecision(2))}`);
}

/** The line that fits best, by least squares. */
function slope(points, key) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanAt, meanValue] = [mean(points.map(({ at }) => at)), mean(points.map((point) => point[key]))];
  const covariance = mean(points.map((point) => (point.at - meanAt) * (point[key] - meanValue)));
  return covariance / mean(points.map(({ at }) => (at - meanAt) ** 2));
}

function list(values, format) {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${format(value)}`)
    .join(", ");
}
