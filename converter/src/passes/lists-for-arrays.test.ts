import { describe, expect, test } from "vitest";
import { constantNode, graph, int32, node } from "../../testing/tiny-graph.ts";
import type { Graph, Node, Shape } from "../graph/graph.ts";
import { listsForArrays } from "./lists-for-arrays.ts";

const shape = (dimensions: Shape) => ({ element_shape: { shape: dimensions } });
const array = node("array", "TensorArrayV3", ["n"], { attrs: { dtype: { type: "DT_INT32" }, ...shape([null, 2]) } });
const nodes: readonly Node[] = [
  node("x", "Placeholder"),
  node("n", "Placeholder"),
  constantNode("zero", int32(0)),
  constantNode("one", int32(1)),
  array,
  node("places", "Range", ["zero", "n", "one"]),
];

/** What `name` becomes: the op and its inputs, constants by their numbers. */
function become(name: string, ...more: readonly Node[]): string {
  return formula(listsForArrays(graph([...nodes, ...more], [name])), name);
}

function formula({ nodes }: Graph, name: string): string {
  const { op, inputs, value } = nodes.get(name) ?? node(name, "nothing");
  if (value?.kind === "literal" && value.data instanceof Uint8Array) {
    return `[${new Int32Array(value.data.slice().buffer)}]`;
  }
  if (inputs.length === 0) return name;
  return `${op}(${inputs.map(({ node, output }) => `${formula({ nodes } as Graph, node)}${output || ""}`).join(", ")})`;
}

const made = "TensorListReserve([-1,2], n)";

describe("listsForArrays", () => {
  test("makes an array's flow a list, and each op on the array one on the list", () => {
    const write = node("write", "TensorArrayWriteV3", ["array", "zero", "x", "array:1"]);
    const written = `TensorListSetItem(${made}, [0], x)`;
    const read = node("read", "TensorArrayReadV3", ["array", "one", "write"]);
    expect(become("read", write, read)).toBe(`TensorListGetItem(${written}, [1], [-1,2])`);
    expect(become("size", write, node("size", "TensorArraySizeV3", ["array", "write"]))).toBe(
      `TensorListLength(${written})`,
    );
  });

  test("stacks a list where all of an array is gathered, and gathers from it elsewhere", () => {
    const all = node("y", "TensorArrayGatherV3", ["array", "places", "array:1"]);
    expect(become("y", all)).toBe(`TensorListStack(${made}, [-1,2])`);
    const some = node("y", "TensorArrayGatherV3", ["array", "x", "array:1"]);
    expect(become("y", some)).toBe(`TensorListGather(${made}, x, [-1,2])`);
  });

  test("makes a list of a tensor that fills a new array, and leaves arrays that are filled otherwise", () => {
    const fill = node("y", "TensorArrayScatterV3", ["array", "places", "x", "array:1"]);
    expect(become("y", fill)).toBe("TensorListFromTensor(x, [-1,2])");
    const before = graph([...nodes, node("y", "TensorArrayScatterV3", ["array", "n", "x", "array:1"])], ["y"]);
    expect(listsForArrays(before)).toBe(before);
  });

  test("leaves all arrays where one op has no counterpart", () => {
    const before = graph([...nodes, node("y", "TensorArrayGradV3", ["array", "array:1"])], ["y"]);
    expect(listsForArrays(before)).toBe(before);
  });
});
