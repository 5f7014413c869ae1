import { createHash } from "node:crypto";
import { type Manifest, parseManifest, type Tensors } from "@nearside/core";

// Above 1000 elements, below which TensorFlow.js computes on the CPU.
const shape = [40, 30];
const count = 1200;
const layers = 40;

const float = { T: { type: "DT_FLOAT" } };
const two = { N: { i: "2" }, ...float };
const dims = { dim: shape.map((size) => ({ size: String(size) })) };
const port = (name: string) => ({ name: `${name}:0`, dtype: "DT_FLOAT", tensorShape: dims });

const nodes = Array.from({ length: layers }, (_, layer) => [
  { name: `sum${layer}`, op: "AddN", input: [layer === 0 ? "x" : `y${layer - 1}`, "step"], attr: two }, // never fused
  { name: `y${layer}`, op: "Relu6", input: [`sum${layer}`], attr: float },
]).flat();

const weights = new Uint8Array(new Float32Array(count).fill(0.0625).buffer);
const shard = {
  path: "weights.bin",
  bytes: weights.length,
  sha256: createHash("sha256").update(weights).digest("hex"),
};

/** The files of a model of many small steps on the device: y = min(x + 40 · 0.0625, 6), a step at a time, for x ≥ 0. */
export const longModel = {
  json: JSON.stringify({
    format: "graph-model",
    signature: { inputs: { x: port("x") }, outputs: { y: port(`y${layers - 1}`) } },
    modelTopology: {
      versions: { producer: 1000 },
      node: [
        { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape: { shape: dims } } },
        { name: "step", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
        ...nodes,
      ],
    },
    weightsManifest: [{ paths: [shard.path], shards: [shard], weights: [{ name: "step", dtype: "float32", shape }] }],
  }),
  weights,
};

/** Those files, as the runtime takes them. */
export function longModelFiles(): { readonly manifest: Manifest; readShard(): Promise<ArrayBuffer> } {
  return { manifest: parseManifest(longModel.json), readShard: async () => weights.slice().buffer };
}

const x = Float32Array.from({ length: count }, (_, index) => (index % 64) / 16);

/** One run of it. All numbers are sums of sixteenths, which every device computes exactly. */
export const longModelGolden: { readonly inputs: Tensors; readonly outputs: Tensors } = {
  inputs: { x: { dtype: "float32", shape, data: x } },
  outputs: { y: { dtype: "float32", shape, data: x.map((value) => Math.min(value + layers / 16, 6)) } },
};
