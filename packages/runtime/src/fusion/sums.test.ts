import type { Tensor } from "@nearside/core";
import type { TestGraph } from "../../testing/graph-files.ts";
import { expectSame, numbers, T, test } from "../../testing/webgpu-beside-cpu.ts";

interface TestNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: object;
}
type Inputs = Readonly<Record<string, Tensor<"float32">>>;

const product: TestNode = { name: "p", op: "MatMul", input: ["x", "w"], attr: T };
const sum = (a: string, b: string): TestNode => ({ name: "s", op: "AddV2", input: [a, b], attr: T });
const convolution = (strides: number): TestNode => ({
  name: "p",
  op: "Conv2D",
  input: ["x", "w"],
  attr: { ...T, strides: { list: { i: [1, strides, strides, 1] } }, padding: { s: btoa("SAME") } },
});

/** The last node is the output. */
function graphOf(nodes: readonly TestNode[], inputs: Inputs, others: readonly string[] = []): TestGraph {
  const outputs = [...others, nodes.at(-1)?.name ?? ""];
  const rank = ({ shape }: Tensor) => shape.map(() => -1);
  return {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, rank(tensor)])),
    outputs: Object.fromEntries(outputs.map((name) => [name, [-1]])),
    nodes,
  };
}

const matrices = { x: numbers([33, 20]), w: numbers([20, 37]), z: numbers([33, 37]) };
const images = { x: numbers([2, 5, 6, 8]), w: numbers([1, 1, 8, 12]), z: numbers([2, 5, 6, 12]) };

test("a sum with a product is one command, whichever comes first", async () => {
  await expectSame(graphOf([product, sum("p", "z")], matrices), matrices, 1);
  await expectSame(graphOf([product, sum("z", "p")], matrices), matrices, 1);
});

test("a sum with a pointwise convolution is one command", () =>
  expectSame(graphOf([convolution(1), sum("p", "z")], images), images, 1));

for (const op of ["Elu", "Relu", "Relu6", "Sigmoid"]) {
  test(`a sum with a product and ${op} are one command`, () => {
    const nodes = [product, sum("p", "z"), { name: "y", op, input: ["s"], attr: T }];
    return expectSame(graphOf(nodes, matrices), matrices, 1);
  });
}

test("of two products that are added, one is added to the other", () => {
  const inputs = { ...matrices, v: numbers([20, 37], -1, 1) };
  const nodes = [product, { name: "q", op: "MatMul", input: ["x", "v"], attr: T }, sum("p", "q")];
  return expectSame(graphOf(nodes, inputs), inputs, 2);
});

test("a sum of another shape than the product's is computed after it, with its activation", () => {
  const inputs = { ...matrices, z: numbers([3, 33, 37]) };
  const nodes = [product, sum("p", "z"), { name: "y", op: "Relu", input: ["s"], attr: T }];
  return expectSame(graphOf(nodes, inputs), inputs, 2);
});

test("a leading dimension of one comes from what is added", () => {
  const inputs = { ...matrices, z: numbers([1, 33, 37]) };
  return expectSame(graphOf([product, sum("p", "z")], inputs), inputs, 1);
});

test("a sum with a convolution of windows is computed after it", () => {
  const inputs = { x: numbers([2, 5, 6, 8]), w: numbers([3, 3, 8, 12]), z: numbers([2, 3, 3, 12]) };
  return expectSame(graphOf([convolution(2), sum("p", "z")], inputs), inputs, 3); // TensorFlow.js lays out the windows first
});

test("a product that something else takes as well stays", () => {
  const inputs = { ...matrices, z: numbers([33, 37]) };
  const nodes = [product, sum("p", "z"), { name: "y", op: "Mul", input: ["s", "p"], attr: T }];
  return expectSame(graphOf(nodes, inputs), inputs, 2);
});

test("a product that the caller takes stays", () =>
  expectSame(graphOf([product, sum("p", "z")], matrices, ["p"]), matrices, 2));

test("a product that is added to itself stays", () =>
  expectSame(graphOf([product, sum("p", "p")], matrices), matrices, 2));

test("an activation before the sum stays there", () => {
  const fused = { ...product, op: "_FusedMatMul", input: ["x", "w", "b"] };
  const attr = { ...T, fused_ops: { list: { s: ["BiasAdd", "Relu"].map(btoa) } }, num_args: { i: 1 } };
  const inputs = { ...matrices, b: numbers([37]) };
  return expectSame(graphOf([{ ...fused, attr }, sum("p", "z")], inputs), inputs, 2);
});

test("a sum with a product that takes more than one kernel is computed after it", async () => {
  const batches = { x: numbers([2, 33, 20]), w: numbers([2, 20, 37]), z: numbers([2, 33, 37]) };
  await expectSame(graphOf([{ ...product, op: "BatchMatMulV2" }, sum("p", "z")], batches), batches, 2);
});

test("a sum with a convolution that has its channels first is computed after it", async () => {
  const first = { x: numbers([1, 4, 4, 4]), w: numbers([1, 1, 4, 4]), z: numbers([1, 4, 4, 4]) };
  const node = convolution(1);
  const nodes = [{ ...node, attr: { ...node.attr, data_format: { s: btoa("NCHW") } } }, sum("p", "z")];
  await expectSame(graphOf(nodes, first), first, 2);
});
