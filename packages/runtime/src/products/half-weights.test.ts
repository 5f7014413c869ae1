import { parseManifest } from "@nearside/core";
import { expect, test } from "vitest";
import { findHalfWeights } from "./half-weights.ts";

const text = (value: string) => ({ s: btoa(value) });
const texts = (...values: readonly string[]) => ({ list: { s: values.map(btoa) } });

const matrix = { dtype: "float32", shape: [4, 4] };
const filter = { dtype: "float32", shape: [1, 1, 4, 4] };
const weights = {
  product: matrix,
  fused: matrix,
  bias: { dtype: "float32", shape: [4] },
  slopes: { dtype: "float32", shape: [4] },
  filter,
  channelsFirst: filter,
  withPrelu: filter,
  added: matrix,
  first: matrix,
  alsoAdded: matrix,
  batches: { dtype: "float32", shape: [2, 4, 4] },
  integers: { dtype: "int32", shape: [4, 4] },
  returned: matrix,
  stored: matrix,
  unused: matrix,
  "f/inner": matrix,
  "f/returned": matrix,
};

const constants = (names: readonly string[]) => names.map((name) => ({ name, op: "Const" }));
const manifest = parseManifest(
  JSON.stringify({
    format: "graph-model",
    signature: { inputs: {}, outputs: { y: { name: "returned:0", dtype: "DT_FLOAT", tensorShape: {} } } },
    nearside: { state: [{ input: "s", output: "p1", initial: "stored" }] },
    modelTopology: {
      node: [
        { name: "x", op: "Placeholder" },
        ...constants(Object.keys(weights).filter((name) => !name.startsWith("f/"))),
        { name: "p1", op: "MatMul", input: ["x", "product"] },
        {
          name: "p2",
          op: "_FusedMatMul",
          input: ["x", "fused", "bias"],
          attr: { fused_ops: texts("BiasAdd", "Relu") },
        },
        { name: "p3", op: "Conv2D", input: ["x", "filter"] },
        { name: "p4", op: "Conv2D", input: ["x", "channelsFirst"], attr: { data_format: text("NCHW") } },
        {
          name: "p5",
          op: "_FusedConv2D",
          input: ["x", "withPrelu", "slopes"],
          attr: { fused_ops: texts("NoOp", "Prelu") },
        },
        { name: "p6", op: "AddV2", input: ["x", "added"] },
        { name: "p7", op: "MatMul", input: ["first", "x"] },
        { name: "p8", op: "MatMul", input: ["x", "alsoAdded"] },
        { name: "p9", op: "AddV2", input: ["alsoAdded", "x"] },
        { name: "p10", op: "BatchMatMulV3", input: ["x", "batches"] },
        { name: "p11", op: "MatMul", input: ["x", "integers"] },
        { name: "p12", op: "MatMul", input: ["x", "returned"] },
        { name: "p13", op: "MatMul", input: ["x", "stored"] },
      ],
      library: {
        function: [
          {
            signature: { name: "f", inputArg: [{ name: "a" }], outputArg: [{ name: "b" }, { name: "c" }] },
            nodeDef: [...constants(["f/inner", "f/returned"]), { name: "m", op: "MatMul", input: ["a", "f/inner"] }],
            ret: { b: "m:product:0", c: "f/returned" },
          },
        ],
      },
    },
    weightsManifest: [{ paths: [], weights: Object.entries(weights).map(([name, spec]) => ({ name, ...spec })) }],
  }),
);

test("findHalfWeights finds what only products take, as their second operand", () => {
  expect([...findHalfWeights(manifest)]).toEqual(["product", "fused", "filter", "f/inner"]);
});
