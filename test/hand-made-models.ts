import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensors } from "@nearside/core";

/** The files of a model that a test wrote. */
export interface HandMadeModel {
  readonly json: string;
  readonly weights?: Uint8Array;
}

/** Writes models to a new temporary folder, each at its path in there; whoever gets the folder removes it. */
export async function writeModels(models: Readonly<Record<string, HandMadeModel>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  for (const [path, { json, weights }] of Object.entries(models)) {
    await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, path, "model.json"), json);
    if (weights) await writeFile(join(folder, path, "weights.bin"), weights);
  }
  return folder;
}

const float = { type: "DT_FLOAT" };
const port = (name: string, dtype: string, tensorShape: object) => ({ name: `${name}:0`, dtype, tensorShape });
const placeholder = (name: string, type: string, shape: object) => ({
  name,
  op: "Placeholder",
  attr: { dtype: { type }, shape: { shape } },
});

/** total′ = total + x, which begins with such values. */
function sumsOf(shape: readonly number[], initial: Float32Array): HandMadeModel {
  const dims = { dim: shape.map((size) => ({ size: String(size) })) };
  return {
    json: JSON.stringify({
      format: "graph-model",
      signature: { inputs: { x: port("x", "DT_FLOAT", dims) }, outputs: { sum: port("sum", "DT_FLOAT", dims) } },
      modelTopology: {
        versions: { producer: 1000 },
        node: [
          placeholder("x", "DT_FLOAT", dims),
          placeholder("total", "DT_FLOAT", dims),
          { name: "after", op: "AddV2", input: ["total", "x"], attr: { T: float } },
          { name: "sum", op: "Identity", input: ["after"], attr: { T: float } },
        ],
      },
      weightsManifest: [{ paths: ["weights.bin"], weights: [{ name: "total/initial", dtype: "float32", shape }] }],
      nearside: { state: [{ input: "total", output: "after", initial: "total/initial" }] },
    }),
    weights: new Uint8Array(initial.buffer),
  };
}

export const sumsModel = sumsOf([2], Float32Array.of(10, 20));

/** Of images of one pixel. */
export const pixelSumsModel = sumsOf([1, 1, 1, 3], new Float32Array(3));

// Above 1000 elements, below which TensorFlow.js computes on the CPU.
const rows = { dim: [{ size: "-1" }, { size: "600" }] };

/** A recurrent model, of `stateSuite`: hOut = x − h, and y = 2·hOut. */
export const recurrentModel: HandMadeModel = {
  json: JSON.stringify({
    format: "graph-model",
    signature: {
      inputs: { x: port("x", "DT_FLOAT", rows), h: port("h", "DT_FLOAT", rows) },
      outputs: { y: port("y", "DT_FLOAT", rows), hOut: port("hOut", "DT_FLOAT", rows) },
    },
    modelTopology: {
      versions: { producer: 1000 },
      node: [
        placeholder("x", "DT_FLOAT", rows),
        placeholder("h", "DT_FLOAT", rows),
        { name: "hOut", op: "Sub", input: ["x", "h"], attr: { T: float } },
        { name: "y", op: "AddV2", input: ["hOut", "hOut"], attr: { T: float } },
      ],
    },
    weightsManifest: [],
  }),
};

const images = { dim: [{ size: "-1" }, { size: "-1" }, { size: "-1" }, { size: "-1" }] };

/** y = 2·x, of images of any size. */
export const brighterModel: HandMadeModel = {
  json: JSON.stringify({
    format: "graph-model",
    signature: { inputs: { x: port("x", "DT_FLOAT", images) }, outputs: { y: port("y", "DT_FLOAT", images) } },
    modelTopology: {
      versions: { producer: 1000 },
      node: [placeholder("x", "DT_FLOAT", images), { name: "y", op: "AddV2", input: ["x", "x"], attr: { T: float } }],
    },
    weightsManifest: [],
  }),
};

const anyShape = { unknownRank: true };

/** y = 3 everywhere, in the shape that its input tells. */
export const fillModel: HandMadeModel = {
  json: JSON.stringify({
    format: "graph-model",
    signature: {
      inputs: { dims: port("dims", "DT_INT32", { dim: [{ size: "-1" }] }) },
      outputs: { y: port("y", "DT_FLOAT", anyShape) },
    },
    modelTopology: {
      versions: { producer: 1000 },
      node: [
        placeholder("dims", "DT_INT32", { dim: [{ size: "-1" }] }),
        { name: "three", op: "Const", attr: { dtype: float } },
        { name: "y", op: "Fill", input: ["dims", "three"], attr: { T: float } },
      ],
    },
    weightsManifest: [{ paths: ["weights.bin"], weights: [{ name: "three", dtype: "float32", shape: [] }] }],
  }),
  weights: new Uint8Array(Float32Array.of(3).buffer),
};

/** Inputs of it. */
export function fillTo(...shape: readonly number[]): Tensors {
  return { dims: { dtype: "int32", shape: [shape.length], data: Int32Array.from(shape) } };
}

const column = { dim: [{ size: "-1" }] };

/** y = the greatest of the elements of x, when they have been repeated as often as the input tells. */
export const repeatModel: HandMadeModel = {
  json: JSON.stringify({
    format: "graph-model",
    signature: {
      inputs: { x: port("x", "DT_FLOAT", column), times: port("times", "DT_INT32", { dim: [{ size: "1" }] }) },
      outputs: { y: port("y", "DT_FLOAT", { dim: [] }) },
    },
    modelTopology: {
      versions: { producer: 1000 },
      node: [
        placeholder("x", "DT_FLOAT", column),
        placeholder("times", "DT_INT32", { dim: [{ size: "1" }] }),
        { name: "axis", op: "Const", attr: { dtype: { type: "DT_INT32" } } },
        { name: "long", op: "Tile", input: ["x", "times"], attr: { T: float } },
        { name: "y", op: "Max", input: ["long", "axis"], attr: { T: float } },
      ],
    },
    weightsManifest: [{ paths: ["weights.bin"], weights: [{ name: "axis", dtype: "int32", shape: [1] }] }],
  }),
  weights: new Uint8Array(Int32Array.of(0).buffer),
};

const three = { dim: [{ size: "3" }] };

/** y = the inverse of a permutation, summed up from the left: with kernels of ours, one of which refuses zeros. */
export const permutationModel: HandMadeModel = {
  json: JSON.stringify({
    format: "graph-model",
    signature: {
      inputs: { places: port("places", "DT_INT32", three) },
      outputs: { y: port("y", "DT_INT32", three) },
    },
    modelTopology: {
      versions: { producer: 1000 },
      node: [
        placeholder("places", "DT_INT32", three),
        { name: "axis", op: "Const", attr: { dtype: { type: "DT_INT32" } } },
        { name: "inverse", op: "InvertPermutation", input: ["places"] },
        { name: "y", op: "Cumsum", input: ["inverse", "axis"] },
      ],
    },
    weightsManifest: [{ paths: ["weights.bin"], weights: [{ name: "axis", dtype: "int32", shape: [] }] }],
  }),
  weights: new Uint8Array(Int32Array.of(0).buffer),
};

/** y = a text twice, of the bytes that it is made of. */
export const echoModel: HandMadeModel = {
  json: JSON.stringify({
    format: "graph-model",
    signature: {
      inputs: { x: port("x", "DT_STRING", column) },
      outputs: { y: port("y", "DT_STRING", column) },
    },
    modelTopology: {
      versions: { producer: 1000 },
      node: [
        placeholder("x", "DT_STRING", column),
        { name: "times", op: "Const", attr: { dtype: { type: "DT_INT32" } } },
        { name: "upper", op: "StringUpper", input: ["x"] },
        { name: "y", op: "Tile", input: ["upper", "times"] },
      ],
    },
    weightsManifest: [{ paths: ["weights.bin"], weights: [{ name: "times", dtype: "int32", shape: [1] }] }],
  }),
  weights: new Uint8Array(Int32Array.of(2).buffer),
};
