import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const units = 16;
/** So many that a run takes several times what the server itself does for a request; else batching has little to share. */
const layers = 512;

/**
 * Writes a graph model of many small layers, x := tanh(x · w) with x float32 [?,16], as a recurrent model has them. What
 * a layer takes besides its multiplications, it takes once for a batch.
 */
export async function writeDenseModel(folder) {
  const shape = { dim: [{ size: "-1" }, { size: String(units) }] };
  const T = { type: "DT_FLOAT" };
  const value = {
    tensor: { dtype: "DT_FLOAT", tensorShape: { dim: [{ size: String(units) }, { size: String(units) }] } },
  };
  const layer = (index) => [
    { name: `w${index}`, op: "Const", attr: { dtype: T, value } },
    { name: `product${index}`, op: "MatMul", input: [index === 0 ? "x" : `x${index}`, `w${index}`], attr: { T } },
    { name: `x${index + 1}`, op: "Tanh", input: [`product${index}`], attr: { T } },
  ];
  const numbers = Array.from({ length: layers }, (_, index) => index);
  const manifest = {
    format: "graph-model",
    signature: {
      inputs: { x: { name: "x:0", dtype: "DT_FLOAT", tensorShape: shape } },
      outputs: { y: { name: `x${layers}:0`, dtype: "DT_FLOAT", tensorShape: shape } },
    },
    modelTopology: {
      node: [{ name: "x", op: "Placeholder", attr: { dtype: T, shape: { shape } } }, ...numbers.flatMap(layer)],
      versions: {},
    },
    weightsManifest: [
      {
        paths: ["weights.bin"],
        weights: numbers.map((index) => ({ name: `w${index}`, shape: [units, units], dtype: "float32" })),
      },
    ],
  };
  await mkdir(folder, { recursive: true });
  const weights = Float32Array.from({ length: layers * units * units }, (_, index) => Math.sin(index) / 8);
  await writeFile(join(folder, "weights.bin"), weights);
  await writeFile(join(folder, "model.json"), JSON.stringify(manifest));
}
