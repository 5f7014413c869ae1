import { RunState, type Session, type Tensor } from "@nearside/core";
import {
  add,
  engine,
  exp,
  mul,
  ones,
  randomUniform,
  slice,
  square,
  type Tensor as TfjsTensor,
  tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, expect, test as plainTest, vi } from "vitest";
import { graphFiles, type TestGraph } from "../../testing/graph-files.ts";
import { noDawn, openDawn } from "../../testing/open-dawn.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import type { RecordingWebgpuBackend } from "../backends/recording-webgpu-backend.ts";
import { openWebgpuBackend } from "../backends/webgpu.ts";
import { openLocalSession } from "../local-session.ts";
import { Tape } from "./tape.ts";

let gpu: GPU | undefined;
let backend: LoadedBackend;
let tfjsBackend: RecordingWebgpuBackend;
beforeAll(async () => {
  gpu = await openDawn();
  if (!gpu) return;
  backend = await openWebgpuBackend({ gpu });
  tfjsBackend = engine().backend as RecordingWebgpuBackend; // the one that was just opened
});
afterAll(() => backend?.close());
afterEach(() => vi.restoreAllMocks());

const test = (name: string, body: () => Promise<void>) =>
  plainTest(name, async ({ skip }) => (gpu ? body() : skip(noDawn)));

const float = { type: "DT_FLOAT" };
const [rows, columns] = [40, 50];

/** y = relu(relu(x·w + b)·wᵀ − x)²/2, of several kernels, with intermediates of equal and of other sizes. */
const graph: TestGraph = {
  inputs: { x: [-1, rows] },
  outputs: { y: [-1, rows] },
  weights: {
    w: { dtype: "float32", shape: [rows, columns], data: numbers(rows * columns, 1) },
    b: { dtype: "float32", shape: [columns], data: numbers(columns, 2) },
    two: { dtype: "float32", shape: [], data: Float32Array.of(2) },
  },
  nodes: [
    { name: "product", op: "MatMul", input: ["x", "w"], attr: { T: float } },
    { name: "sum", op: "AddV2", input: ["product", "b"], attr: { T: float } },
    { name: "positive", op: "Relu", input: ["sum"], attr: { T: float } },
    { name: "back", op: "MatMul", input: ["positive", "w"], attr: { T: float, transpose_b: { b: true } } },
    { name: "difference", op: "Sub", input: ["back", "x"], attr: { T: float } },
    { name: "relu", op: "Relu", input: ["difference"], attr: { T: float } },
    { name: "square", op: "Square", input: ["relu"], attr: { T: float } },
    { name: "y", op: "RealDiv", input: ["square", "two"], attr: { T: float } },
  ],
};

/** Some numbers from −1 to 1. */
function numbers(count: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(seed * 12.9 + index * 78.233));
}

const open = (of: TestGraph = graph): Promise<Session> => openLocalSession("graph", graphFiles(of), backend);

const x = (batch: number, seed: number, width = rows): Tensor => ({
  dtype: "float32",
  shape: [batch, width],
  data: numbers(batch * width, seed),
});

async function run(session: Session, input: Tensor): Promise<Float32Array> {
  const { y } = await session.run({ x: input });
  return y?.data as Float32Array; // the one output of these graphs
}

/** What the plan computes step by step. */
async function runByStep(of: TestGraph, input: Tensor): Promise<Float32Array> {
  const { ahead: _, ...withoutTapes } = backend;
  await using session = await openLocalSession("graph", graphFiles(of), withoutTapes, { warmUp: false });
  return run(session, input);
}

/** Whether a run is that of a tape, and no kernel's. */
async function isTaped(session: Session, input: Tensor): Promise<boolean> {
  const program = vi.spyOn(tfjsBackend, "runWebGPUProgram");
  const replay = vi.spyOn(Tape.prototype, "run");
  await session.run({ x: input });
  const isReplayed = replay.mock.calls.length === 1 && program.mock.calls.length === 0;
  vi.restoreAllMocks();
  return isReplayed;
}

test("the first run after the warm-up is a tape, and gives what the plan gives, bit by bit", async () => {
  await using session = await open();
  expect(await isTaped(session, x(1, 3))).toBe(true);
  for (const seed of [3, 4]) expect(await run(session, x(1, seed))).toEqual(await runByStep(graph, x(1, seed)));
});

test("a tape is for inputs of its shapes alone: others are recorded when they come again", async () => {
  await using session = await open();
  for (const batch of [2, 2, 2, 3, 1]) {
    expect(await run(session, x(batch, batch))).toEqual(await runByStep(graph, x(batch, batch)));
  }
  expect(await isTaped(session, x(2, 5))).toBe(true);
  expect(await isTaped(session, x(3, 5))).toBe(false); // its second time
  expect(await isTaped(session, x(4, 5))).toBe(false);
});

test("runs of one tape may overlap", async () => {
  await using session = await open();
  const seeds = Array.from({ length: 12 }, (_, index) => index);
  const got = await Promise.all(seeds.map((seed) => run(session, x(1, seed))));
  for (const seed of seeds) expect(got[seed]).toEqual(await runByStep(graph, x(1, seed)));
});

/** Tensors of the sizes that a run needs, computed on the device, so that all that a run gave back is used again. */
function occupy(): readonly TfjsTensor[] {
  return tidy(() => {
    const many = square(tensor(numbers(80_000, 1), [40, 2000]));
    const part = (row: number, count: number) => slice(many, [row, 0], [1, count]);
    return [rows, columns, rows * columns, 2, 1].flatMap((count) =>
      Array.from({ length: 39 }, (_, row) => mul(part(row, count), part(row + 1, 1))),
    );
  });
}

test("what is computed after a recording is not overwritten by the tape, nor the tape by it", async () => {
  await using session = await open();
  const want = await runByStep(graph, x(1, 6));
  const tensors = occupy();
  const before = await Promise.all(tensors.map((each) => copyOf(each)));
  expect(await run(session, x(1, 6))).toEqual(want);
  const after = await Promise.all(tensors.map((each) => copyOf(each)));
  expect(after).toEqual(before);
  for (const each of tensors) each.dispose();
});

/** What is on the device; reading keeps a copy here, so a copy is read. */
async function copyOf(original: TfjsTensor): Promise<Float32Array> {
  const copy = tidy(() => add(original, 0));
  const data = await copy.data<"float32">();
  copy.dispose();
  return data;
}

test("small inputs, which are computed on the CPU without a tape, are inputs of the tape all the same", async () => {
  const small: TestGraph = {
    inputs: { x: [1, 4] },
    outputs: { y: [1, 4] },
    weights: { b: { dtype: "float32", shape: [4], data: Float32Array.of(1, 2, 3, 4) } },
    nodes: [
      { name: "sum", op: "AddV2", input: ["x", "b"], attr: { T: float } },
      { name: "y", op: "Mul", input: ["sum", "b"], attr: { T: float } },
    ],
  };
  await using session = await open(small);
  for (const seed of [1, 2]) {
    const input = x(1, seed, 4);
    const want = numbers(4, seed).map((value, index) => Math.fround(Math.fround(value + (index + 1)) * (index + 1)));
    expect(await isTaped(session, input)).toBe(true);
    expect(await run(session, input)).toEqual(want);
  }
});

test("constants that first reach the device during the recording are there at each replay", async () => {
  const late: TestGraph = {
    inputs: { x: [-1, 1] },
    outputs: { y: [-1, -1] },
    nodes: [
      { name: "shape", op: "Shape", input: ["x"], attr: { T: float, out_type: { type: "DT_INT32" } } },
      { name: "sizes", op: "Cast", input: ["shape"], attr: { SrcT: { type: "DT_INT32" }, DstT: float } },
      { name: "product", op: "Mul", input: ["x", "sizes"], attr: { T: float } },
      // As large as the constant, which nothing takes any more.
      { name: "least", op: "Min", input: ["product", "rows"], attr: { T: float } },
      { name: "y", op: "AddV2", input: ["product", "least"], attr: { T: float } },
    ],
    weights: { rows: { dtype: "int32", shape: [1], data: Int32Array.of(0) } },
  };
  await using session = await open(late);
  const input = x(1200, 1, 1);
  const want = await runByStep(late, input);
  for (let count = 0; count < 2; count++) await run(session, input);
  const tensors = occupy();
  expect(await isTaped(session, input)).toBe(true);
  expect(await run(session, input)).toEqual(want);
  for (const each of tensors) each.dispose();
});

test("a loop whose length the shapes tell is part of the tape", async () => {
  await using session = await open(loop("shape"));
  expect(await isTaped(session, x(1, 2))).toBe(true);
  expect(await run(session, x(1, 2))).toEqual(await runByStep(loop("shape"), x(1, 2)));
});

test("runs that read what they computed are not recorded, and right", async () => {
  await using session = await open(loop("values"));
  for (const seed of [1, 2, 3]) {
    expect(await isTaped(session, x(1, seed))).toBe(false);
    expect(await run(session, x(1, seed))).toEqual(await runByStep(loop("values"), x(1, seed)));
  }
});

/** Doubles x so often, until the largest is above 100, or as often as x has columns. */
function loop(until: "values" | "shape"): TestGraph {
  const integer = { type: "DT_INT32" };
  const condition =
    until === "values"
      ? [
          { name: "least", op: "Max", input: ["m", "axes"], attr: { T: float } },
          { name: "goes", op: "Less", input: ["least", "limit"], attr: { T: float } },
        ]
      : [
          { name: "shape", op: "Shape", input: ["m"], attr: { T: float, out_type: integer } },
          { name: "count", op: "Prod", input: ["shape", "first"], attr: { T: integer } },
          { name: "goes", op: "Less", input: ["i", "count"], attr: { T: integer } },
        ];
  return {
    inputs: { x: [1, rows] },
    outputs: { y: [1, rows] },
    weights: {
      zero: { dtype: "int32", shape: [], data: Int32Array.of(0) },
      one: { dtype: "int32", shape: [], data: Int32Array.of(1) },
      first: { dtype: "int32", shape: [1], data: Int32Array.of(0) },
      axes: { dtype: "int32", shape: [2], data: Int32Array.of(0, 1) },
      limit: { dtype: "float32", shape: [], data: Float32Array.of(100) },
    },
    nodes: [
      { name: "i0", op: "Enter", input: ["zero"], attr: { frame_name: { s: btoa("loop") }, T: integer } },
      { name: "m0", op: "Enter", input: ["x"], attr: { frame_name: { s: btoa("loop") }, T: float } },
      { name: "i", op: "Merge", input: ["i0", "i2"], attr: { T: integer } },
      { name: "m", op: "Merge", input: ["m0", "m2"], attr: { T: float } },
      ...condition,
      { name: "cond", op: "LoopCond", input: ["goes"] },
      { name: "is", op: "Switch", input: ["i", "cond"], attr: { T: integer } },
      { name: "ms", op: "Switch", input: ["m", "cond"], attr: { T: float } },
      { name: "next", op: "AddV2", input: ["is:1", "one"], attr: { T: integer } },
      { name: "twice", op: "AddV2", input: ["ms:1", "ms:1"], attr: { T: float } },
      { name: "i2", op: "NextIteration", input: ["next"], attr: { T: integer } },
      { name: "m2", op: "NextIteration", input: ["twice"], attr: { T: float } },
      { name: "y", op: "Exit", input: ["ms"], attr: { T: float } },
    ],
  };
}

test("runs that draw numbers draw new ones each time", async () => {
  const random: TestGraph = {
    inputs: { x: [1, rows] },
    outputs: { y: [1, rows] },
    weights: { shape: { dtype: "int32", shape: [2], data: Int32Array.of(1, rows) } },
    nodes: [
      { name: "noise", op: "RandomUniform", input: ["shape"], attr: { T: { type: "DT_INT32" }, dtype: float } },
      { name: "y", op: "AddV2", input: ["x", "noise"], attr: { T: float } },
    ],
  };
  const warn = vi.spyOn(console, "warn");
  await using session = await open(random);
  const draws = [];
  for (let count = 0; count < 4; count++) draws.push(Array.from(await run(session, x(1, 1))).join());
  expect(new Set(draws).size).toBe(4);
  expect(warn).not.toHaveBeenCalled(); // of a tape that draws the same again
});

test("a tape that computes something else is never used, and that is reported", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { ahead } = backend;
  if (!ahead) throw new Error("expected a backend that records");
  const wrong: LoadedBackend = {
    ...backend,
    // It records the run on what it makes of the inputs itself: ones.
    ahead: {
      ...ahead,
      record: (inputs, run) =>
        ahead.record(inputs, ([given]) => {
          const made = ones(given?.shape ?? []);
          const results = run([made]);
          made.dispose();
          return results;
        }),
    },
  };
  await using session = await openLocalSession("graph", graphFiles(graph), wrong);
  expect(await isTaped(session, x(1, 3))).toBe(false);
  expect(await run(session, x(1, 3))).toEqual(await runByStep(graph, x(1, 3)));
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('output "y" is another'));
});

test("a kernel that is timed, or takes pixels, ends the recording", async () => {
  const timed = () =>
    tfjsBackend.record(() => {
      Object.assign(tfjsBackend, { activeTimers: [] });
      tidy(() => exp(square(randomUniform([rows, columns]))));
    });
  expect(timed).toThrow("can't be recorded");
  Object.assign(tfjsBackend, { activeTimers: undefined });
  const pixels = () =>
    tfjsBackend.record(() => tfjsBackend.queue.copyExternalImageToTexture({} as never, {} as never, []));
  expect(pixels).toThrow("the device is asked for copyExternalImageToTexture");
});

test("nothing is read while shaders are compiled: nothing was computed", async () => {
  const { dataId } = tfjsBackend.makeTensorInfo([rows], "float32");
  tfjsBackend.uploadToGPU(dataId);
  expect(() => tfjsBackend.compile(() => tfjsBackend.readSync(dataId))).toThrow("a tensor is read back");
  tfjsBackend.disposeData(dataId);
});

test("closing a session frees its tapes, and a recording that fails leaves nothing", async () => {
  const used = () => [tfjsBackend.bufferPool.numBytesUsed, tfjsBackend.numDataIds()];
  const before = used();
  for (const each of [graph, loop("values")]) {
    const session = await open(each);
    for (const batch of each === graph ? [1, 2, 2, 2] : [1, 1]) await run(session, x(batch, 1));
    expect(used()).not.toEqual(before);
    await session.close();
    tfjsBackend.submitCommands();
    expect(used(), each === graph ? "graph" : "loop").toEqual(before);
  }
});

test("runs in flight when a session is closed end well", async () => {
  const session = await open();
  const running = [run(session, x(1, 1)), run(session, x(1, 2))];
  await session.close();
  const [first, second] = await Promise.all(running);
  expect(first).toEqual(await runByStep(graph, x(1, 1)));
  expect(second).toEqual(await runByStep(graph, x(1, 2)));
});

/** hOut = relu(x·w + h)·0.5, of sizes that TensorFlow.js computes on the device; y = hOut − x·w. */
const recurrent: TestGraph = {
  inputs: { x: [-1, rows], h: [-1, columns] },
  outputs: { y: [-1, columns], hOut: [-1, columns] },
  weights: {
    w: { dtype: "float32", shape: [rows, columns], data: numbers(rows * columns, 1) },
    half: { dtype: "float32", shape: [], data: Float32Array.of(0.5) },
  },
  nodes: [
    { name: "product", op: "MatMul", input: ["x", "w"], attr: { T: float } },
    { name: "sum", op: "AddV2", input: ["product", "h"], attr: { T: float } },
    { name: "relu", op: "Relu", input: ["sum"], attr: { T: float } },
    { name: "hOut", op: "Mul", input: ["relu", "half"], attr: { T: float } },
    { name: "y", op: "Sub", input: ["hOut", "product"], attr: { T: float } },
  ],
};
const batch = 30; // 1500 elements of h

test("runs with a state are tapes, whose state is never read, and give what the plan gives", async () => {
  const initial = { h: x(batch, 9, columns) };
  const { ahead: _, ...withoutTapes } = backend;
  await using stepwise = await openLocalSession("graph", graphFiles(recurrent), withoutTapes, { warmUp: false });
  await using session = await openLocalSession("graph", graphFiles(recurrent), backend, { warmUp: false });
  await using want = new RunState({ h: "hOut" }, { initial });
  await using state = new RunState({ h: "hOut" }, { initial });
  const steps = Array.from({ length: 30 }, (_, step) => ({ x: x(batch, step) }));
  const expected = [];
  for (const inputs of steps) expected.push(await stepwise.run(inputs, { state: want }));
  const [recorded, replayed] = [steps.slice(0, 2), steps.slice(2)]; // the second run is recorded
  for (const [step, inputs] of recorded.entries()) expect(await session.run(inputs, { state })).toEqual(expected[step]);
  const program = vi.spyOn(tfjsBackend, "runWebGPUProgram");
  const replay = vi.spyOn(Tape.prototype, "run");
  const map = vi.spyOn(GPUBuffer.prototype, "mapAsync");
  const { tensors } = backend.memory();
  for (const [step, inputs] of replayed.entries()) {
    expect(await session.run(inputs, { state })).toEqual(expected[step + 2]);
    expect(backend.memory().tensors).toBe(tensors);
  }
  expect([replay.mock.calls.length, program.mock.calls.length]).toEqual([28, 0]);
  expect(map).toHaveBeenCalledTimes(28 + 1); // the outputs', and the state's after the 16th run
});

test("a recording serves runs with a state and without", async () => {
  await using session = await openLocalSession("graph", graphFiles(recurrent), backend, { warmUp: false });
  for (let run = 0; run < 2; run++) await session.run({ x: x(batch, 1), h: x(batch, 2, columns) });
  await using state = new RunState({ h: "hOut" }, { initial: { h: x(batch, 2, columns) } });
  const replay = vi.spyOn(Tape.prototype, "run");
  const { y } = await session.run({ x: x(batch, 1) }, { state });
  expect(replay.mock.calls.length).toBe(1);
  expect({ y }).toEqual(await session.run({ x: x(batch, 1), h: x(batch, 2, columns) }, { outputs: ["y"] }));
});

test("a model that is proven is recorded without a run, and its first run is the tape", async () => {
  let isProven = false;
  const onProven = () => {
    isProven = true;
  };
  const program = vi.spyOn(tfjsBackend, "runWebGPUProgram");
  await using _first = await openLocalSession("graph", graphFiles(graph), backend, { onProven });
  expect(isProven).toBe(true);
  const thrice = program.mock.calls.length; // compiled, run, recorded
  program.mockClear();
  const replay = vi.spyOn(Tape.prototype, "run");
  await using second = await openLocalSession("graph", graphFiles(graph), backend, { isProven });
  expect(program.mock.calls.length).toBe((thrice / 3) * 2); // compiled, recorded
  expect(replay).not.toHaveBeenCalled();
  vi.restoreAllMocks();
  expect(await isTaped(second, x(1, 3))).toBe(true);
  for (const seed of [3, 4]) expect(await run(second, x(1, seed))).toEqual(await runByStep(graph, x(1, seed)));
});
