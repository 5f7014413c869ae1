import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The shard that {@link writeDoublingModel} writes: the factor 2 as float32, named after the start of its SHA-256. */
export const doublingShard = "weights-d88c86f1.bin";

/** Writes a graph model `y = 2 · x`, x float32 [?,2], whose only shard has its hash in its name. */
export async function writeDoublingModel(folder: string): Promise<void> {
  const weights = new Uint8Array(Float32Array.of(2).buffer);
  const sha256 = createHash("sha256").update(weights).digest("hex");
  const dim = [{ size: "-1" }, { size: "2" }];
  const type = { type: "DT_FLOAT" };
  const manifest = {
    format: "graph-model",
    signature: {
      inputs: { x: { name: "x:0", dtype: "DT_FLOAT", tensorShape: { dim } } },
      outputs: { y: { name: "y:0", dtype: "DT_FLOAT", tensorShape: { dim } } },
    },
    modelTopology: {
      node: [
        { name: "x", op: "Placeholder", attr: { dtype: type, shape: { shape: { dim } } } },
        {
          name: "factor",
          op: "Const",
          attr: { dtype: type, value: { tensor: { dtype: "DT_FLOAT", tensorShape: {} } } },
        },
        { name: "y", op: "Mul", input: ["x", "factor"], attr: { T: type } },
      ],
      versions: {},
    },
    weightsManifest: [
      {
        paths: [doublingShard],
        weights: [{ name: "factor", shape: [], dtype: "float32" }],
        shards: [{ bytes: 4, sha256 }],
      },
    ],
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, doublingShard), weights);
  await writeFile(join(folder, "model.json"), JSON.stringify(manifest));
}
