import { parseArgs } from "node:util";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { compilePlan } from "../../packages/runtime/dist/plan/compile-plan.js";
import { currentDevice, makeTensor, readNumbers } from "../../packages/runtime/dist/plan/device.js";
import { parseGraphDef } from "../../packages/runtime/dist/plan/graph-def.js";
import { finishNow, runPlan } from "../../packages/runtime/dist/plan/run-plan.js";
import { createGpu } from "./create-gpu.mjs";
import { median } from "./measure-process.mjs";

const usage = "npm run bench -- fusion [--rows N] [--columns N] [--runs N]";

/** Chains of elementwise ops as models have them, on `x` [rows, columns]; of the others the shapes are given. */
const chains = {
  GELU: {
    nodes: ["m Mul x root", "e Erf m", "s AddV2 e one", "h Mul x half", "y Mul h s"],
    others: { root: [], one: [], half: [] },
  },
  "end of a layer norm": {
    nodes: ["d Sub x mean", "v AddV2 var eps", "r Rsqrt v", "n Mul d r", "g Mul n gamma", "y AddV2 g beta"],
    others: { mean: ["rows", 1], var: ["rows", 1], eps: [], gamma: ["columns"], beta: ["columns"] },
  },
  swish: { nodes: ["b AddV2 x bias", "s Sigmoid b", "y Mul b s"], others: { bias: ["columns"] } },
  "state of an LSTM": {
    nodes: ["f Sigmoid x", "i Sigmoid in", "c Tanh new", "k Mul f state", "a Mul i c", "y AddV2 k a"],
    others: { in: ["rows", "columns"], new: ["rows", "columns"], state: ["rows", "columns"] },
  },
};

/**
 * Runs chains of elementwise ops as one shader and as TensorFlow.js's kernels, in turn on one WebGPU device: milliseconds
 * until the device is done, without uploads and reads, and the ratio.
 */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: "string", default: "1024" },
      columns: { type: "string", default: "1024" },
      runs: { type: "string", default: "40" },
    },
  });
  const sizes = { rows: Number(values.rows), columns: Number(values.columns) };
  const runs = Number(values.runs);
  if (!(sizes.rows > 0) || !(sizes.columns > 0) || !(runs > 0)) throw new Error(usage);
  const loaded = await openWebgpuBackend({ gpu: await createGpu() });
  const device = currentDevice();
  const { vendor, architecture, description } = device.backend.adapterInfo;
  console.log(`${[vendor, architecture, description].filter(Boolean).join(" ")}, x [${sizes.rows}, ${sizes.columns}]`);
  for (const [name, chain] of Object.entries(chains)) console.log(await benchChain(name, chain, device, sizes, runs));
  await loaded.close();
}

async function benchChain(name, { nodes, others }, device, sizes, runs) {
  const shapes = { x: ["rows", "columns"], ...others };
  const inputs = Object.values(shapes).map((shape) => {
    const numbers = shape.map((size) => sizes[size] ?? size);
    const count = numbers.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, (_, at) => 1 + Math.sin(at) / 2);
    return makeTensor(device, values, numbers, "float32");
  });
  const node = nodes.map((line) => {
    const [node, op, ...input] = line.split(" ");
    return { name: node, op, input, attr: { T: { type: "DT_FLOAT" } } };
  });
  const body = { ...parseGraphDef({ node }), inputs: Object.keys(shapes), outputs: [{ node: "y", output: 0 }] };
  const [fused, single] = [device, { ...device, fusion: undefined }].map((each) =>
    compilePlan(body, {
      device: each,
      weights: new Map(),
      functions: new Map(),
      tables: new Map(),
      plans: new Map(),
    }),
  );
  const times = { fused: [], single: [] };
  for (let run = -5; run < runs; run++) {
    const results = {};
    for (const [kind, plan] of Object.entries({ fused, single })) {
      const startMs = performance.now();
      const [y] = finishNow(runPlan(plan, inputs, device));
      device.backend.submitCommands();
      await device.backend.queue.onSubmittedWorkDone();
      if (run >= 0) times[kind].push(performance.now() - startMs);
      results[kind] = run === -5 ? await readNumbers(device, y) : undefined;
      device.backend.disposeData(y.dataId);
    }
    if (run === -5) expectSame(name, results.fused, results.single);
  }
  for (const { dataId } of inputs) device.backend.disposeData(dataId);
  const [one, each] = [median(times.fused), median(times.single)];
  return `${name}: ${one.toFixed(2)} ms as one, ${each.toFixed(2)} ms as ${nodes.length} kernels, ${(one / each).toFixed(2)}×`;
}

function expectSame(name, got, want) {
  const at = want.findIndex((value, index) => !(Math.abs(got[index] - value) <= 1e-5 + 1e-5 * Math.abs(value)));
  if (at >= 0) throw new Error(`${name}: expected ${want[at]} at ${at}, as its kernels give, got ${got[at]}`);
}
