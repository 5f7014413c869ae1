import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Writes a SavedModel `y = x + 2⁴⁰`, x int64 [?], which TensorFlow runs, and the converter refuses: TensorFlow.js has
 * integers of 32 bits.
 */
export async function writeUnconvertibleModel(folder: string): Promise<void> {
  const port = (name: string) => `value { name: "${name}:0" dtype: DT_INT64 tensor_shape { dim { size: -1 } } }`;
  const type = (key: string) => `attr { key: "${key}" value { type: DT_INT64 } }`;
  const number = 'attr { key: "value" value { tensor { dtype: DT_INT64 tensor_shape { } int64_val: 1099511627776 } } }';
  const text = `
    saved_model_schema_version: 1
    meta_graphs {
      meta_info_def { tags: "serve" tensorflow_version: "2.21.0" }
      graph_def {
        node { name: "x" op: "Placeholder" ${type("dtype")} }
        node { name: "large" op: "Const" ${type("dtype")} ${number} }
        node { name: "y" op: "AddV2" input: "x" input: "large" ${type("T")} }
        versions { producer: 1000 }
      }
      signature_def {
        key: "serving_default"
        value {
          inputs { key: "x" ${port("x")} }
          outputs { key: "y" ${port("y")} }
          method_name: "tensorflow/serving/predict"
        }
      }
    }`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "saved_model.pbtxt"), text);
}
