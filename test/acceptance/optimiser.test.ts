// The Python converter's tests of its graph rewriting, restated: each model is fused as it should be, and stock
// TensorFlow.js computes the same of it as the arithmetic written out here.
import type { Tensor } from "@nearside/core";
import { describe, expect, test } from "vitest";
import {
  boolAttr,
  type EncodedAttr,
  encodeConstant,
  encodeNode,
  encodePlaceholder,
  floatAttr,
  listAttr,
  textAttr,
  typeAttr,
} from "../../converter/testing/encode-graph.ts";
import { runInTfjs } from "../run-in-tfjs.ts";
import { type Converted, convertNodes, fusedOps, onlyNode, opsOf } from "./converted.ts";

// One channel in, two out, filters of one pixel: each pixel p becomes [p·2, p·−3], so what follows is easy to tell.
const input = encodePlaceholder("x", [1, 2, 2, 1]);
const pixels = [1, -2, 3, 0.5];
const x: Tensor = { dtype: "float32", shape: [1, 2, 2, 1], data: Float32Array.from(pixels) };
const filters = [2, -3];
const filter = encodeConstant("filter", "float32", [1, 1, 1, 2], filters);
const bias = [0.25, -1];

const conv2d = (name: string, from: string, extra: readonly EncodedAttr[] = []) =>
  encodeNode(name, "Conv2D", [from, "filter"], convolution(extra));
const depthwise = (name: string, from: string, extra: readonly EncodedAttr[] = []) =>
  encodeNode(name, "DepthwiseConv2dNative", [from, "filter"], convolution(extra));
const convolutions = [
  ["Conv2D", conv2d, "_FusedConv2D"],
  ["DepthwiseConv2dNative", depthwise, "FusedDepthwiseConv2dNative"],
] as const;

function convolution(extra: readonly EncodedAttr[]): readonly EncodedAttr[] {
  const own = extra.map(([name]) => name);
  const usual: readonly EncodedAttr[] = [
    typeAttr("T", "float32"),
    listAttr("strides", [1, 1, 1, 1]),
    listAttr("dilations", [1, 1, 1, 1]),
    textAttr("padding", "VALID"),
    textAttr("data_format", "NHWC"),
  ];
  return [...usual.filter(([name]) => !own.includes(name)), ...extra];
}

const channels = (name: string, values: readonly number[]) => encodeConstant(name, "float32", [2], values);

/** What the convolution gives for each pixel and channel, with `then` applied to it. */
function expected(then: (value: number, channel: number) => number): number[] {
  return pixels.flatMap((pixel) => filters.map((factor, channel) => then(pixel * factor, channel)));
}

async function expectOutput({ folder }: Converted, values: readonly number[], given: Tensor = x): Promise<void> {
  const { y } = await runInTfjs(folder, { x: given });
  expect(y?.data).toHaveLength(values.length);
  for (const [index, value] of values.entries()) expect(y?.data[index]).toBeCloseTo(value, 4);
}

const relu = (value: number) => Math.max(0, value);
const biasOf = (channel: number) => bias[channel] ?? Number.NaN;

describe("batch norm", () => {
  const [scale, offset, mean, variance, epsilon] = [[0.5, 2], [1, -1], [0.1, -0.2], [4, 0.25], 0.001] as const;
  const normalise = (value: number, channel: number) =>
    ((value - (mean[channel] ?? 0)) * (scale[channel] ?? 0)) / Math.sqrt((variance[channel] ?? 0) + epsilon) +
    (offset[channel] ?? 0);
  const values = [
    channels("scale", scale),
    channels("offset", offset),
    channels("mean", mean),
    channels("variance", variance),
  ];
  const fusedAttrs = [typeAttr("T", "float32"), floatAttr("epsilon", epsilon), boolAttr("is_training", false)];
  const typed = [...fusedAttrs, typeAttr("U", "float32")];
  const fused = ["scale", "offset", "mean", "variance"];
  const global = [floatAttr("variance_epsilon", epsilon), boolAttr("scale_after_normalization", true)];
  const forms = [
    ["FusedBatchNorm", fused, fusedAttrs],
    ["FusedBatchNormV2", fused, typed],
    ["FusedBatchNormV3", fused, typed],
    [
      "BatchNormWithGlobalNormalization",
      ["mean", "variance", "offset", "scale"],
      [typeAttr("T", "float32"), ...global],
    ],
  ] as const;

  for (const [op, inputs, attrs] of forms) {
    test.each(convolutions)(`${op} goes into a %s`, async (_, convolve, fusedName) => {
      const nodes = [input, filter, ...values, convolve("c", "x"), encodeNode("bn", op, ["c", ...inputs], attrs)];
      const converted = await convertNodes([...nodes, encodeNode("y", "Relu", ["bn"])], ["y"]);
      expect(opsOf(converted.json)).toEqual({ [fusedName]: 1 });
      await expectOutput(
        converted,
        expected((value, channel) => relu(normalise(value, channel))),
      );
    });
  }

  test("goes into a convolution with a bias of its own", async () => {
    const nodes = [
      input,
      filter,
      ...values,
      channels("b", bias),
      conv2d("c", "x"),
      encodeNode("s", "BiasAdd", ["c", "b"]),
    ];
    const converted = await convertNodes(
      [...nodes, encodeNode("y", "FusedBatchNormV3", ["s", ...fused], typed)],
      ["y"],
    );
    expect(opsOf(converted.json)).not.toHaveProperty("FusedBatchNormV3");
    await expectOutput(
      converted,
      expected((value, channel) => normalise(value + biasOf(channel), channel)),
    );
  });

  test("leaves the weights alone that another convolution uses, too", async () => {
    const nodes = [input, filter, ...values, conv2d("c", "x"), conv2d("d", "x")];
    const normalised = encodeNode("bn", "FusedBatchNormV3", ["c", ...fused], typed);
    const converted = await convertNodes([...nodes, normalised, encodeNode("y", "Sub", ["bn", "d"])], ["y"]);
    await expectOutput(
      converted,
      expected((value, channel) => normalise(value, channel) - value),
    );
  });
});

describe("bias and activation", () => {
  test.each(convolutions)("go into a %s, with its strides and dilations", async (_, convolve, fusedName) => {
    const strides = [listAttr("strides", [1, 2, 2, 1]), listAttr("dilations", [1, 1, 1, 1])];
    const nodes = [
      input,
      filter,
      channels("b", bias),
      convolve("c", "x", strides),
      encodeNode("s", "BiasAdd", ["c", "b"]),
    ];
    const converted = await convertNodes([...nodes, encodeNode("y", "Relu", ["s"])], ["y"]);
    expect(opsOf(converted.json)).toEqual({ [fusedName]: 1 });
    const node = onlyNode(converted.json, fusedName);
    expect(fusedOps(node)).toEqual(["BiasAdd", "Relu"]);
    expect(node.attr?.strides).toEqual({ list: { i: ["1", "2", "2", "1"] } });
    expect(node.attr?.dilations).toEqual({ list: { i: ["1", "1", "1", "1"] } });
    await expectOutput(
      converted,
      filters.map((factor, channel) => relu((pixels[0] ?? 0) * factor + biasOf(channel))),
    );
  });

  test.each(convolutions)("an addition after a %s is a bias", async (_, convolve, fusedName) => {
    const nodes = [input, filter, channels("b", bias), convolve("c", "x"), encodeNode("y", "AddV2", ["c", "b"])];
    const converted = await convertNodes(nodes, ["y"]);
    expect(opsOf(converted.json)).toEqual({ [fusedName]: 1 });
    const node = onlyNode(converted.json, fusedName);
    expect([fusedOps(node), node.attr?.num_args]).toEqual([["BiasAdd"], { i: "1" }]);
    await expectOutput(
      converted,
      expected((value, channel) => value + biasOf(channel)),
    );
  });

  test("an addition before a convolution is not taken for one after it", async () => {
    const nodes = [input, filter, encodeConstant("b", "float32", [1], [0.5]), encodeNode("a", "AddV2", ["x", "b"])];
    const converted = await convertNodes([...nodes, conv2d("y", "a")], ["y"]);
    expect(opsOf(converted.json)).toEqual({ _FusedConv2D: 1 }); // with as much of it as each channel gets
    await expectOutput(
      converted,
      pixels.flatMap((pixel) => filters.map((factor) => (pixel + 0.5) * factor)),
    );
  });

  test.each(["BiasAdd", "AddV2"])("go into a matrix product, the bias by %s", async (op) => {
    const flags = [typeAttr("T", "float32"), boolAttr("transpose_a", false), boolAttr("transpose_b", false)];
    const nodes = [
      encodePlaceholder("x", [-1, 1]),
      encodeConstant("w", "float32", [1, 2], filters),
      channels("b", bias),
    ];
    const converted = await convertNodes(
      [
        ...nodes,
        encodeNode("m", "MatMul", ["x", "w"], flags),
        encodeNode("s", op, ["m", "b"]),
        encodeNode("y", "Relu", ["s"]),
      ],
      ["y"],
    );
    expect(opsOf(converted.json)).toEqual({ _FusedMatMul: 1 });
    const { attr } = onlyNode(converted.json, "_FusedMatMul");
    expect(attr).toMatchObject({ transpose_a: { b: false }, transpose_b: { b: false } });
    const values = expected((value, channel) => relu(value + biasOf(channel)));
    await expectOutput(converted, values, { dtype: "float32", shape: [4, 1], data: Float32Array.from(pixels) });
  });
});

describe("PReLU", () => {
  const slopes = [0.1, -0.5];
  const slopeOf = (channel: number) => slopes[channel] ?? Number.NaN;
  const prelu = (value: number, channel: number) => (value < 0 ? value * slopeOf(channel) : value);
  /** relu(v) + (−slope) · relu(−v), as Keras 2 writes it */
  const preluNodes = (from: string) => [
    channels(
      "slope",
      slopes.map((slope) => -slope),
    ),
    encodeNode("positive", "Relu", [from]),
    encodeNode("negated", "Neg", [from]),
    encodeNode("negative", "Relu", ["negated"]),
    encodeNode("scaled", "Mul", ["slope", "negative"]),
    encodeNode("y", "AddV2", ["positive", "scaled"]),
  ];

  test.each(convolutions)("goes into a %s after its bias", async (_, convolve, fusedName) => {
    const nodes = [input, filter, channels("b", bias), convolve("c", "x"), encodeNode("s", "BiasAdd", ["c", "b"])];
    const converted = await convertNodes([...nodes, ...preluNodes("s")], ["y"]);
    expect(opsOf(converted.json)).toEqual({ [fusedName]: 1 });
    const node = onlyNode(converted.json, fusedName);
    expect([fusedOps(node), node.attr?.num_args]).toEqual([["BiasAdd", "Prelu"], { i: "2" }]);
    await expectOutput(
      converted,
      expected((value, channel) => prelu(value + biasOf(channel), channel)),
    );
  });

  test("goes into a matrix product after its bias", async () => {
    const nodes = [
      encodePlaceholder("x", [-1, 1]),
      encodeConstant("w", "float32", [1, 2], filters),
      channels("b", bias),
    ];
    const product = [encodeNode("m", "MatMul", ["x", "w"]), encodeNode("s", "BiasAdd", ["m", "b"])];
    const converted = await convertNodes([...nodes, ...product, ...preluNodes("s")], ["y"]);
    expect(opsOf(converted.json)).toEqual({ _FusedMatMul: 1 });
    const values = expected((value, channel) => prelu(value + biasOf(channel), channel));
    await expectOutput(converted, values, { dtype: "float32", shape: [4, 1], data: Float32Array.from(pixels) });
  });

  test("after a Relu stays a node of its own", async () => {
    const nodes = [input, filter, channels("b", bias), conv2d("c", "x"), encodeNode("s", "BiasAdd", ["c", "b"])];
    const converted = await convertNodes([...nodes, encodeNode("r", "Relu", ["s"]), ...preluNodes("r")], ["y"]);
    expect(opsOf(converted.json)).toEqual({ _FusedConv2D: 1, Prelu: 1 });
    await expectOutput(
      converted,
      expected((value, channel) => relu(value + biasOf(channel))),
    );
  });

  test("alone is one node", async () => {
    const nodes = [encodePlaceholder("x", [-1, 2]), ...preluNodes("x")];
    const converted = await convertNodes(nodes, ["y"]);
    expect(opsOf(converted.json)).toEqual({ Prelu: 1 });
    const given: Tensor = { dtype: "float32", shape: [2, 2], data: Float32Array.from(pixels) };
    await expectOutput(
      converted,
      pixels.map((value, index) => prelu(value, index % 2)),
      given,
    );
  });

  test("isn't made of nodes that only look like it", async () => {
    const nodes = [encodePlaceholder("x", [-1, 2]), channels("slope", slopes), encodeNode("positive", "Relu", ["x"])];
    const other = [
      encodeNode("scaled", "Mul", ["slope", "positive"]),
      encodeNode("y", "AddV2", ["positive", "scaled"]),
    ];
    const converted = await convertNodes([...nodes, ...other], ["y"]);
    expect(opsOf(converted.json)).not.toHaveProperty("Prelu");
    const given: Tensor = { dtype: "float32", shape: [2, 2], data: Float32Array.from(pixels) };
    await expectOutput(
      converted,
      pixels.map((value, index) => relu(value) * (1 + slopeOf(index % 2))),
      given,
    );
  });
});
