import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type GoldenCase, parseGolden } from "./golden.ts";

const root = fileURLToPath(new URL("../../shared/fixtures", import.meta.url));

/**
 * The folder of SavedModels with golden values beside the project, or undefined where it is absent. Each has its model
 * in `saved_model/` and TensorFlow's results in `golden.json`.
 */
export const fixturesRoot: string | undefined = existsSync(root) ? root : undefined;

/** Fixtures that everything from the converter to the server must get right: a folder below the root each. */
export const firstCutFixtures = [
  "made/dense",
  "made/multi_io",
  "made/gather",
  "made/nested_fn",
  "made/conv_bn_relu6",
  "made/k3_dense_softmax",
  "made/k3_conv_bn_relu",
  "made/k3_depthwise",
  "made/tf1_resource",
  "made/tf1_ref",
  "public/tfjs-times-three-float",
  "public/serving-half-plus-two-cpu",
] as const;

/** Fixtures that lie there as text (`saved_model.pbtxt`). */
export const textFixtures = ["public/tf-half-plus-two-pbtxt"] as const;

/** Fixtures whose loops and branches the converter writes out, as recurrent layers over a fixed length: they need no `executeAsync`. */
export const unrolledFixtures = [
  "made/k3_lstm",
  "public/litert-control-flow-v1-novars",
  "public/scisharp-lstm-keras",
] as const;

/** Fixtures that need `executeAsync`, and the signatures of theirs that are converted. */
export const asynchronousFixtures: Readonly<Record<string, readonly string[]>> = {
  "made/control_flow": ["serving_default"],
  "made/gru_bidirectional": ["serving_default"],
  "made/hash_table_multi": ["words", "to_string"],
  "made/hashtable": ["serving_default"],
  "made/hashtable_file": ["serving_default"],
  "made/lstm_stacked": ["serving_default"],
  "made/tensor_array_map": ["serving_default", "tensor_array"],
  "made/tf_cond": ["serving_default", "switch"],
  "made/tf_while_dynamic": ["serving_default", "nested_loop"],
};

/** The golden cases of a signature of the fixture in `folder` (absolute); none if it has none. */
export async function readGolden(folder: string, signature: string): Promise<readonly GoldenCase[]> {
  const cases = parseGolden(await readFile(join(folder, "golden.json"), "utf8"));
  return cases.filter((golden) => golden.signature === signature);
}
