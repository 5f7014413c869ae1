import { memory, scalar, type Tensor as TfjsTensor, tensor1d } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { kernels } from "../kernels/index.ts";
import { compilePlan } from "./compile-plan.ts";
import { currentDevice, type Device, readNumbers } from "./device.ts";
import { parseGraphDef, parseRef } from "./graph-def.ts";
import { finish, finishNow, runPlan } from "./run-plan.ts";
import { isTensor } from "./value.ts";

let backend: LoadedBackend;
let device: Device;
beforeAll(async () => {
  backend = await openCpuBackend();
  device = currentDevice();
});
afterAll(() => backend?.close());

interface Model {
  readonly nodes: readonly object[];
  readonly functions?: readonly object[];
  readonly weights?: Readonly<Record<string, TfjsTensor>>;
  readonly inputs: Readonly<Record<string, TfjsTensor>>;
}

/** Makes a plan of a graph, runs it, and gives the elements of `y`. What it leaves on the device is counted. */
async function compute(model: Model): Promise<readonly number[]> {
  const [y] = await finish(start(model));
  if (y === undefined || !isTensor(y)) throw new Error("y is no tensor");
  const numbers = Array.from(await readNumbers(device, y));
  device.backend.disposeData(y.dataId);
  return numbers;
}

function start({ nodes, functions = [], weights = {}, inputs }: Model) {
  const graph = parseGraphDef({ node: nodes, library: { function: functions } });
  const context = {
    device,
    kernels,
    weights: new Map(Object.entries(weights)),
    functions: graph.functions,
    tables: new Map(),
    plans: new Map(),
  };
  const names = Object.keys(inputs);
  const plan = compilePlan({ nodes: graph.nodes, inputs: names, outputs: [parseRef("y")] }, context);
  return runPlan(plan, Object.values(inputs), device);
}

const type = (name: string) => ({ T: { type: name } });
const constant = (name: string) => ({ name, op: "Const", attr: { dtype: { type: "DT_INT32" } } });

const cond = [
  { name: "split", op: "Switch", input: ["x", "p"] },
  { name: "no", op: "Neg", input: ["split"] },
  { name: "other", op: "Const", input: ["^split"], attr: { dtype: { type: "DT_FLOAT" } } },
  { name: "yes", op: "AddV2", input: ["split:1", "split:1"] },
  { name: "y", op: "Merge", input: ["no", "yes"] },
];

test.each([
  [true, [6]],
  [false, [-3]],
])("a branch is run only where its predicate (%s) leads to it", async (predicate, expected) => {
  const inputs = { x: tensor1d([3]), p: scalar(predicate, "bool") };
  expect(await compute({ nodes: cond, weights: { other: tensor1d([9]) }, inputs })).toEqual(expected);
});

/** y = x doubled until it is at least n, written as TensorFlow 1 writes tf.while_loop; n enters the frame as it is. */
const enter = (is_constant: boolean) => ({ frame_name: { s: btoa("loop") }, is_constant: { b: is_constant } });
const whileLoop = [
  { name: "enter", op: "Enter", input: ["x"], attr: enter(false) },
  { name: "limit", op: "Enter", input: ["n"], attr: enter(true) },
  { name: "merge", op: "Merge", input: ["enter", "next"] },
  { name: "less", op: "Less", input: ["merge", "limit"], attr: type("DT_FLOAT") },
  { name: "goes-on", op: "LoopCond", input: ["less"] },
  { name: "switch", op: "Switch", input: ["merge", "goes-on"] },
  { name: "double", op: "AddV2", input: ["switch:1", "switch:1"] },
  { name: "next", op: "NextIteration", input: ["double"] },
  { name: "exit", op: "Exit", input: ["switch"] },
  { name: "y", op: "Neg", input: ["exit"] },
];

test.each([
  [100, -192],
  [1, -3],
])("a loop in TensorFlow 1's form goes on while its variable is below %d", async (n, expected) => {
  expect(await compute({ nodes: whileLoop, inputs: { x: scalar(3), n: scalar(n) } })).toEqual([expected]);
});

/** Pushes i·i to a list for i = 0 … n − 1, and stacks it. */
const listLoop: Model = {
  nodes: [
    constant("zero"),
    constant("shape"),
    { name: "list", op: "EmptyTensorList", input: ["shape", "zero"], attr: { element_dtype: { type: "DT_INT32" } } },
    {
      name: "while",
      op: "StatelessWhile",
      input: ["zero", "n", "list"],
      attr: { cond: { func: { name: "cond" } }, body: { func: { name: "body" } } },
    },
    { name: "y", op: "TensorListStack", input: ["while:2", "shape"], attr: { element_dtype: { type: "DT_INT32" } } },
  ],
  functions: [
    {
      signature: {
        name: "cond",
        inputArg: [{ name: "i" }, { name: "n" }, { name: "list" }],
        outputArg: [{ name: "o" }],
      },
      nodeDef: [{ name: "less", op: "Less", input: ["i", "n"] }],
      ret: { o: "less:z:0" },
    },
    {
      signature: {
        name: "body",
        inputArg: [{ name: "i" }, { name: "n" }, { name: "list" }],
        outputArg: [{ name: "a" }, { name: "b" }, { name: "c" }],
      },
      nodeDef: [
        constant("one"),
        { name: "next", op: "AddV2", input: ["i", "one"] },
        { name: "square", op: "Mul", input: ["i", "i"] },
        { name: "push", op: "TensorListPushBack", input: ["list", "square:z:0"] },
      ],
      ret: { a: "next:z:0", b: "n", c: "push:output_handle:0" },
    },
  ],
  weights: {},
  inputs: {},
};

test("a loop over a list keeps each element until the list is stacked", async () => {
  const weights = { zero: scalar(0, "int32"), one: scalar(1, "int32"), shape: tensor1d([], "int32") };
  const inputs = { n: scalar(5, "int32") };
  expect(await compute({ ...listLoop, weights, inputs })).toEqual([0, 1, 4, 9, 16]);
});

const held = () => [device.backend.numDataIds(), memory().numTensors];

test("an output that no kernel gives is unsupported, at its node, and leaves nothing on the device", async () => {
  const nodes = [
    { name: "n", op: "Neg", input: ["x"] },
    { name: "y", op: "Neg", input: ["n:1"] },
  ];
  const x = tensor1d([1]);
  const before = held();
  await expect(compute({ nodes, inputs: { x } })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching('^node "n": expected 2 outputs of Neg, got 1;'),
  });
  expect(held()).toEqual(before);
});

test("nothing stays on the device, neither after a run nor after one that fails", async () => {
  const x = tensor1d([1, 2]);
  const wrong = tensor1d([1, 2, 3]);
  const nodes = [
    { name: "a", op: "Neg", input: ["x"] },
    { name: "b", op: "Exp", input: ["a"] },
    { name: "y", op: "AddV2", input: ["b", "z"] },
  ];
  const before = held();
  await compute({ nodes, inputs: { x, z: x } });
  expect(held()).toEqual(before);
  await expect(compute({ nodes, inputs: { x, z: wrong } })).rejects.toThrow('node "y": op AddV2: expected shapes');
  expect(held()).toEqual(before);
});

test("a loop whose values are at hand is run in one go", () => {
  const weights = { zero: scalar(0, "int32"), one: scalar(1, "int32"), shape: tensor1d([], "int32") };
  const [y] = finishNow(start({ ...listLoop, weights, inputs: { n: scalar(3, "int32") } }));
  expect(y).toMatchObject({ shape: [3] });
  if (y !== undefined && isTensor(y)) device.backend.disposeData(y.dataId);
});

test("a run in one go refuses to wait, and leaves nothing", async () => {
  const before = device.backend.numDataIds();
  const x = tensor1d(["A"], "string");
  const lower = { nodes: [{ name: "y", op: "StringLower", input: ["x"] }], inputs: { x } };
  expect(() => finishNow(start(lower))).toThrow("waits for what the device computes");
  x.dispose();
  await expect.poll(() => device.backend.numDataIds()).toBe(before);
});

test("a graph that is broken, or needs an op that nothing runs, is refused before it runs", async () => {
  const x = tensor1d([1]);
  const circle = [
    { name: "a", op: "Neg", input: ["y"] },
    { name: "y", op: "Neg", input: ["a"] },
  ];
  await expect(compute({ nodes: circle, inputs: { x } })).rejects.toMatchObject({ code: "data-loss" });
  const missing = [{ name: "y", op: "Neg", input: ["gone"] }];
  await expect(compute({ nodes: missing, inputs: { x } })).rejects.toMatchObject({ code: "data-loss" });
  const unknown = [{ name: "y", op: "Mystery", input: ["x"] }];
  await expect(compute({ nodes: unknown, inputs: { x } })).rejects.toMatchObject({ code: "unsupported" });
});
