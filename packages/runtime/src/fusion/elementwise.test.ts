import type { Tensor, Tensors } from "@nearside/core";
import { setBackend } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test as plainTest } from "vitest";
import { graphFiles, type TestGraph } from "../../testing/graph-files.ts";
import { noDawn, openDawn } from "../../testing/open-dawn.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWebgpuBackend } from "../backends/webgpu.ts";
import { openLocalSession } from "../local-session.ts";

let gpu: GPU | undefined;
let backend: LoadedBackend | undefined;
let commands = 0;
beforeAll(async () => {
  gpu = await openDawn();
  if (gpu) backend = await openWebgpuBackend({ gpu });
  const prototype = globalThis.GPUComputePassEncoder?.prototype;
  const dispatch = prototype?.dispatchWorkgroups;
  if (!prototype || !dispatch) return;
  prototype.dispatchWorkgroups = function (...sizes) {
    commands++;
    return dispatch.apply(this, sizes);
  };
});
afterAll(() => backend?.close());

const test = (name: string, body: () => Promise<void>) =>
  plainTest(name, async ({ skip }) => (gpu ? body() : skip(noDawn)));

const T = { T: { type: "DT_FLOAT" } };

/** Numbers that are all over the place, and the same each time. */
function numbers(shape: readonly number[], from = -3, to = 3): Tensor<"float32"> {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, (_, at) => from + ((Math.sin(at * 12.9898) + 1) / 2) * (to - from));
  return { dtype: "float32", shape, data };
}

/** Runs a graph on the device without a tape and on the CPU; expects the same, and so many commands on the device. */
async function expectSame(graph: TestGraph, inputs: Tensors, expectedCommands: number): Promise<void> {
  const { ahead, ...untaped } = backend as LoadedBackend; // there is a device
  expect(ahead).toBeDefined();
  const cpu = await openCpuBackend();
  const want = await runOn(cpu, graph, inputs);
  await cpu.close();
  await setBackend("webgpu");
  commands = 0;
  const got = await runOn(untaped, graph, inputs);
  expect(commands).toBe(expectedCommands);
  for (const [name, { shape, data }] of Object.entries(want)) {
    expect(got[name]?.shape).toEqual(shape);
    for (const [at, value] of (data as Float32Array).entries()) {
      expect(Math.abs(((got[name]?.data[at] as number) ?? Number.NaN) - value), `${name}[${at}]`).toBeLessThan(
        1e-5 + 1e-5 * Math.abs(value),
      );
    }
  }
}

async function runOn(on: LoadedBackend, graph: TestGraph, inputs: Tensors): Promise<Tensors> {
  await using session = await openLocalSession("graph", graphFiles(graph), on, { warmUp: false });
  return await session.run(inputs);
}

type Nodes = readonly (readonly [name: string, op: string, ...inputs: string[]])[];

/** A graph of such nodes, whose last one is the output, of inputs with these numbers and scalars for weights. */
async function expectOneCommand(nodes: Nodes, inputs: Record<string, Tensor<"float32">>, scalars: object = {}) {
  const [last = ""] = nodes.at(-1) ?? [];
  const graph: TestGraph = {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape.map(() => -1)])),
    outputs: { [last]: [-1] },
    weights: Object.fromEntries(
      Object.entries(scalars).map(([name, value]) => [
        name,
        { dtype: "float32" as const, shape: [], data: Float32Array.of(value) },
      ]),
    ),
    nodes: nodes.map(([name, op, ...input]) => ({ name, op, input, attr: T })),
  };
  await expectSame(graph, inputs, 1);
}

test("GELU is one command", () =>
  expectOneCommand(
    [
      ["m", "Mul", "x", "root"],
      ["e", "Erf", "m"],
      ["s", "AddV2", "e", "one"],
      ["h", "Mul", "x", "half"],
      ["y", "Mul", "h", "s"],
    ],
    { x: numbers([40, 50]) },
    { root: Math.SQRT1_2, one: 1, half: 0.5 },
  ));

test("the end of a layer norm is one command, with operands of one number per row and per column", () =>
  expectOneCommand(
    [
      ["d", "Sub", "x", "mean"],
      ["v", "AddV2", "variance", "epsilon"],
      ["r", "Rsqrt", "v"],
      ["n", "Mul", "d", "r"],
      ["g", "Mul", "n", "gamma"],
      ["y", "AddV2", "g", "beta"],
    ],
    {
      x: numbers([9, 6, 20]),
      mean: numbers([9, 6, 1]),
      variance: numbers([9, 6, 1], 0.1, 2),
      gamma: numbers([20]),
      beta: numbers([20], -1, 1),
    },
    { epsilon: 1e-3 },
  ));

for (const [name, a, b, c] of [
  ["of sizes that are no multiples of four", [7, 13, 17], [13, 1], [17]],
  ["that broadcast each other", [7, 1, 17, 4], [13, 1, 4], [7, 13, 17, 1]],
  ["of one number", [1200], [1], [1, 1]],
  ["of six axes", [2, 3, 4, 5, 6, 7], [3, 1, 5, 1, 7], [4, 1, 1, 7]],
] as const) {
  test(`operands ${name} are computed in one command`, () =>
    expectOneCommand(
      [
        ["s", "AddV2", "a", "b"],
        ["m", "Mul", "s", "c"],
        ["y", "Tanh", "m"],
      ],
      { a: numbers(a), b: numbers(b, -2, 1), c: numbers(c, -1, 2) },
    ));
}

const [anything, positive] = [
  [-8, 8],
  [0.01, 8],
] as const;

for (const [ops, [from, to]] of [
  [["Abs", "Ceil", "Elu", "Erf", "Exp", "Floor", "Neg", "Relu", "Relu6", "Sigmoid", "Square", "Tanh"], anything],
  [["Log", "Reciprocal", "Rsqrt", "Sqrt"], positive],
] as const) {
  for (const op of ops) {
    test(`${op} in a group is what it is on the CPU`, () =>
      expectOneCommand(
        [
          ["a", op, "x"],
          ["y", "Neg", "a"],
        ],
        { x: numbers([1200], from, to) },
      ));
  }
}

for (const op of ["Add", "BiasAdd", "Div", "Mul", "RealDiv", "SquaredDifference", "Sub"]) {
  test(`${op} in a group is what it is on the CPU`, () =>
    expectOneCommand(
      [
        ["a", op, "x", "z"],
        ["y", "Neg", "a"],
      ],
      { x: numbers([30, 40]), z: numbers([40], 0.5, 3) },
    ));
}

test("what has no elements takes no command", async () => {
  const nodes = [
    { name: "a", op: "AddV2", input: ["x", "x"], attr: T },
    { name: "y", op: "Neg", input: ["a"], attr: T },
  ];
  await expectSame({ inputs: { x: [-1, 5] }, outputs: { y: [-1, 5] }, nodes }, { x: numbers([0, 5]) }, 0);
});

test("what is small and not on the device yet is computed on the CPU, as TensorFlow.js does", async () => {
  const nodes = [
    { name: "a", op: "AddV2", input: ["x", "x"], attr: T },
    { name: "y", op: "Neg", input: ["a"], attr: T },
  ];
  await expectSame({ inputs: { x: [-1] }, outputs: { y: [-1] }, nodes }, { x: numbers([5]) }, 0);
});
