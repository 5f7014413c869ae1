import { parseManifest, type Tensor, tensorflowNames } from "@nearside/core";
import type { ModelFiles } from "../src/load-graph-model.ts";

/** A graph model that a test writes down. */
export interface TestGraph {
  readonly nodes: readonly object[];
  /** Shapes by name, −1 for any size; all are of float32. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly weights?: Readonly<Record<string, Tensor<"float32"> | Tensor<"int32">>>;
}

/** The files of a graph model, in memory; its weights are nodes of the graph as well. */
export function graphFiles({ nodes, inputs, outputs, weights = {} }: TestGraph): ModelFiles {
  const shapeOf = (sizes: readonly number[]) => ({ dim: sizes.map((size) => ({ size: String(size) })) });
  const ports = (shapes: TestGraph["inputs"]) =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, sizes]) => [
        name,
        { name: `${name}:0`, dtype: "DT_FLOAT", tensorShape: shapeOf(sizes) },
      ]),
    );
  const json = {
    format: "graph-model",
    signature: { inputs: ports(inputs), outputs: ports(outputs) },
    modelTopology: {
      versions: {},
      node: [
        ...Object.entries(inputs).map(([name, sizes]) => ({
          name,
          op: "Placeholder",
          attr: { dtype: { type: "DT_FLOAT" }, shape: { shape: shapeOf(sizes) } },
        })),
        ...Object.entries(weights).map(([name, { dtype }]) => ({
          name,
          op: "Const",
          attr: { dtype: { type: tensorflowNames[dtype] } },
        })),
        ...nodes,
      ],
    },
    weightsManifest: [
      {
        paths: ["weights.bin"],
        weights: Object.entries(weights).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
      },
    ],
  };
  const readShard = async () => new Blob(Object.values(weights).map(({ data }) => data as BlobPart)).arrayBuffer();
  return { manifest: parseManifest(JSON.stringify(json)), readShard };
}
