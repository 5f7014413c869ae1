import type { Tensor } from "@nearside/core";
import { expect } from "vitest";
import type { TestGraph } from "../../testing/graph-files.ts";
import { expectSame, numbers, runOnDevice, T, test } from "../../testing/webgpu-beside-cpu.ts";

type Nodes = readonly (readonly [name: string, op: string, ...inputs: string[]])[];

/** A graph of such nodes, whose last one is the output, of inputs with these numbers and scalars for weights. */
function graphOf(nodes: Nodes, inputs: Record<string, Tensor<"float32">>, scalars: object = {}): TestGraph {
  const [last = ""] = nodes.at(-1) ?? [];
  return {
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
}

function expectOneCommand(nodes: Nodes, inputs: Record<string, Tensor<"float32">>, scalars?: object) {
  return expectSame(graphOf(nodes, inputs, scalars), inputs, 1);
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

test("shapes that don't fit are refused, with the ops of which one is wrong", async () => {
  const nodes: Nodes = [
    ["n", "Neg", "x"],
    ["y", "Mul", "n", "z"],
  ];
  const inputs = { x: numbers([40, 50]), z: numbers([40, 60]) };
  await expect(runOnDevice(graphOf(nodes, inputs), inputs)).rejects.toMatchObject({
    code: "invalid-argument",
    message: 'node "y": op Neg, Mul: expected shapes that can be broadcast, got [40,50] and [40,60]',
  });
});
