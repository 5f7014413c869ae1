import { parseManifest, type Session } from "@nearside/core";
import { memory } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCpuBackend } from "./backends/cpu.ts";
import type { LoadedBackend } from "./backends/loaded-backend.ts";
import type { ModelFiles } from "./load-graph-model.ts";
import { openLocalSession } from "./local-session.ts";

let backend: LoadedBackend;
beforeAll(async () => {
  backend = await openCpuBackend();
});
afterAll(() => backend?.close());

const float = { type: "DT_FLOAT" };
const pair = { dim: [{ size: "2" }] };
const anyLength = { dim: [{ size: "-1" }] };
const port = (name: string, tensorShape: object) => ({ name: `${name}:0`, dtype: "DT_FLOAT", tensorShape });

/** total′ = total + x, which begins with (10, 20) and fails for three elements. */
const sums = {
  format: "graph-model",
  signature: { inputs: { x: port("x", anyLength) }, outputs: { sum: port("sum", pair), twice: port("twice", pair) } },
  modelTopology: {
    versions: { producer: 1000 },
    node: [
      { name: "x", op: "Placeholder", attr: { dtype: float, shape: { shape: anyLength } } },
      { name: "total", op: "Placeholder", attr: { dtype: float, shape: { shape: pair } } },
      { name: "after", op: "AddV2", input: ["total", "x"], attr: { T: float } },
      { name: "sum", op: "Identity", input: ["after"], attr: { T: float } },
      { name: "twice", op: "AddV2", input: ["after", "after"], attr: { T: float } },
    ],
  },
  weightsManifest: [
    {
      paths: ["weights.bin"],
      weights: [{ name: "total/initial", dtype: "float32", shape: [2] }],
    },
  ],
  nearside: { state: [{ input: "total", output: "after", initial: "total/initial" }] },
};

function files(json: object = sums): ModelFiles {
  return { manifest: parseManifest(JSON.stringify(json)), readShard: async () => Float32Array.of(10, 20).buffer };
}

const open = (): Promise<Session> => openLocalSession("sums", files(), backend);

async function add(session: Session, x: readonly number[], signal?: AbortSignal): Promise<readonly number[]> {
  const inputs = { x: { dtype: "float32", shape: [x.length], data: Float32Array.from(x) } } as const;
  const { sum = inputs.x } = await session.run(inputs, { outputs: ["sum"], ...(signal && { signal }) });
  return Array.from(sum.data, Number);
}

test("a session keeps its variables from run to run, which the signature doesn't show", async () => {
  await using session = await open();
  expect(Object.keys(session.signature.inputs)).toEqual(["x"]);
  expect(await add(session, [1, 2])).toEqual([11, 22]);
  expect(await add(session, [1, 2])).toEqual([12, 24]);
});

test("runs at the same time change a session's variables one after the other", async () => {
  await using session = await open();
  const sums = await Promise.all([1, 10, 100].map((x) => add(session, [x, 0])));
  expect(sums.map(([first]) => first)).toEqual([11, 21, 121]);
});

test("a failing run leaves a session's variables as they were", async () => {
  await using session = await open();
  await add(session, [1, 2]);
  await expect(add(session, [1, 2, 3])).rejects.toThrow();
  expect(await add(session, [0, 0])).toEqual([11, 22]);
});

test("a run that is taken back leaves a session's variables as they were", async () => {
  await using session = await open();
  const controller = new AbortController();
  const run = add(session, [1, 2], controller.signal);
  controller.abort(new Error("taken back"));
  await expect(run).rejects.toThrow("taken back");
  expect(await add(session, [0, 0])).toEqual([10, 20]);
});

test("two sessions don't share variables", async () => {
  await using first = await open();
  await using second = await open();
  await add(first, [1, 2]);
  expect(await add(second, [0, 0])).toEqual([10, 20]);
});

test("a session with variables leaves nothing on the backend once it is closed", async () => {
  const before = memory().numTensors;
  const session = await open();
  await add(session, [1, 2]);
  const held = memory().numTensors;
  await add(session, [1, 2]);
  expect(memory().numTensors).toBe(held);
  await session.close();
  expect(memory().numTensors).toBe(before);
});

test("a variable whose first value isn't among the weights is refused, and frees what was loaded", async () => {
  const before = memory().numTensors;
  const state = [{ input: "total", output: "after", initial: "nothing" }];
  const opening = openLocalSession("sums", files({ ...sums, nearside: { state } }), backend);
  await expect(opening).rejects.toMatchObject({ code: "data-loss", message: /expected a weight "nothing"/ });
  expect(memory().numTensors).toBe(before);
});

/** y₀ = x, y₁ = −x, y₂ = −y₁ and so on. */
function signs(count: number): object {
  const names = Array.from({ length: count }, (_, index) => `y${index}`);
  return {
    format: "graph-model",
    signature: {
      inputs: { x: port("x", pair) },
      outputs: Object.fromEntries(names.map((name) => [name, port(name, pair)])),
    },
    modelTopology: {
      versions: { producer: 1000 },
      node: [
        { name: "x", op: "Placeholder", attr: { dtype: float, shape: { shape: pair } } },
        { name: "y0", op: "Identity", input: ["x"], attr: { T: float } },
        ...names.slice(1).map((name, index) => ({ name, op: "Neg", input: [names[index]], attr: { T: float } })),
      ],
    },
    weightsManifest: [],
  };
}

test("a session answers each of many lists of outputs with just these, again and again", async () => {
  const names = ["y0", "y1", "y2", "y3", "y4"];
  await using session = await openLocalSession("signs", files(signs(names.length)), backend);
  const inputs = { x: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } } as const;
  const lists = names.flatMap((first) => names.map((second) => [first, second]).filter(([a, b]) => a !== b));
  expect(lists.length).toBe(20);
  for (const outputs of [...lists, ...lists]) {
    const computed = await session.run(inputs, { outputs });
    expect(Object.keys(computed)).toEqual(outputs);
    for (const name of outputs) {
      const sign = Number(name.slice(1)) % 2 === 0 ? 1 : -1;
      expect(Array.from(computed[name]?.data ?? [], Number)).toEqual([sign, 2 * sign]);
    }
  }
});

test("a session tells what is on its backend, and whether its model keeps anything", async () => {
  await using session = await open();
  expect(await session.memory()).toEqual({ deviceBytes: 16, tensors: 1 }); // cpu counts it as often as it is held
  await add(session, [1, 2]);
  expect(await session.memory()).toEqual({ deviceBytes: 16, tensors: 2 }); // what it began with, and what it has now
  expect(session.keepsState).toBe(true);
  await using stateless = await openLocalSession("signs", files(signs(2)), backend);
  expect(stateless.keepsState).toBe(false);
});
