import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { body, call, graph, node, scalar } from "../../testing/tiny-graph.ts";
import type { Graph } from "../graph/graph.ts";
import { signatureGraph } from "./signature-graph.ts";

type Signatures = Parameters<typeof signatureGraph>[1];

function signatures(inputs: Record<string, string>, outputs: Record<string, string>): Signatures {
  const infos = (names: Record<string, string>) =>
    new Map(
      Object.entries(names).map(([key, name]) => [
        key,
        {
          name,
          dtype: 1,
          tensorShape: { dim: [], unknownRank: false },
          cooSparse: undefined,
          compositeTensor: undefined,
        },
      ]),
    );
  return new Map([["serving_default", { inputs: infos(inputs), outputs: infos(outputs) }]]);
}

/** As TensorFlow 2 saves `y = x · w`: a call to a wrapper, with the variable as its second argument. */
const wrapped: Graph = graph(
  [
    node("serving_default_x", "Placeholder"),
    node("w", "VarHandleOp", [], { value: scalar(3) }),
    call("StatefulPartitionedCall", "__inference_signature_wrapper_7", ["serving_default_x", "w"]),
  ],
  [],
  {
    __inference_signature_wrapper_7: body(
      [
        node("x", "Placeholder"),
        node("unknown", "Placeholder"),
        node("read", "ReadVariableOp", ["unknown"]),
        node("mul", "Mul", ["x", "read"]),
        node("Identity", "Identity", ["mul"]),
      ],
      ["Identity"],
    ),
  },
);

describe("signatureGraph", () => {
  test("names a TensorFlow 2 signature's ends as its wrapper does", () => {
    const result = signatureGraph(
      wrapped,
      signatures({ x: "serving_default_x:0" }, { y: "StatefulPartitionedCall:0" }),
      "serving_default",
    );
    expect(result.inputs).toMatchObject([{ key: "x", tensor: { node: "x", output: 0 } }]);
    expect(result.outputs).toMatchObject([{ key: "y", tensor: { node: "Identity", output: 0 } }]);
    expect(result.nodes.get("unknown")).toMatchObject({ op: "VarHandleOp" });
    expect(evaluate(result, { x: 2 })).toEqual({ y: 6 });
  });

  test("keeps a TensorFlow 1 signature's names", () => {
    const main = graph(
      [node("in", "Placeholder"), node("two", "Const", [], { value: scalar(2) }), node("out", "Mul", ["in", "two"])],
      [],
    );
    const result = signatureGraph(main, signatures({ x: "in:0" }, { y: "out:0" }), "serving_default");
    expect(evaluate(result, { in: 4 })).toEqual({ y: 8 });
  });

  test("makes a placeholder of a tensor that TensorFlow 1 feeds in the middle of the graph", () => {
    const main = graph(
      [node("bytes", "Placeholder"), node("parsed", "Parse", ["bytes"]), node("out", "Identity", ["parsed"])],
      [],
    );
    const result = signatureGraph(main, signatures({ x: "parsed:0" }, { y: "out:0" }), "serving_default");
    expect(result.nodes.get("parsed")).toMatchObject({ op: "Placeholder", inputs: [] });
  });

  test("feeds one of several outputs of a node, and leaves the others to the node", () => {
    const main = graph(
      [node("bytes", "Placeholder"), node("parsed", "Parse", ["bytes"]), node("out", "Mul", ["parsed:1", "parsed"])],
      [],
    );
    const result = signatureGraph(
      main,
      signatures({ b: "parsed:1" }, { y: "out:0", b: "parsed:1" }),
      "serving_default",
    );
    expect(result.inputs).toMatchObject([{ key: "b", tensor: { node: "parsed/1", output: 0 } }]);
    expect(result.nodes.get("parsed")).toMatchObject({ op: "Parse" });
    expect(result.nodes.get("out")?.inputs).toEqual([
      { node: "parsed/1", output: 0 },
      { node: "parsed", output: 0 },
    ]);
    expect(result.outputs).toMatchObject([{ key: "b", tensor: { node: "parsed/1" } }, { key: "y" }]);
  });

  test("lets two inputs be the same tensor", () => {
    const main = graph([node("in", "Placeholder"), node("out", "Identity", ["in"])], []);
    const twice = signatures({ a: "in:0", b: "in:0" }, { y: "out:0" });
    const { inputs } = signatureGraph(main, twice, "serving_default");
    expect(inputs.map(({ key }) => key)).toEqual(["a", "b"]);
    expect(inputs[1]?.tensor).toEqual(inputs[0]?.tensor);
  });

  test("lists the signatures there are where one is missing", () => {
    expect(() => signatureGraph(wrapped, signatures({}, {}), "predict")).toThrow(
      expect.objectContaining({ code: "not-found", message: expect.stringContaining('it has "serving_default"') }),
    );
  });
});
