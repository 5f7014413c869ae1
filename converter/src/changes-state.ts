import { InferenceError } from "@nearside/core";
import type { FileSource } from "./files.ts";
import { allNodes } from "./graph/all-nodes.ts";
import { openSavedModel } from "./saved-model/saved-model.ts";

/** TensorFlow's ops that write to a variable or a table. `ScatterNd` itself makes a tensor. */
const writesState =
  /^(?:Resource)?(?:Sparse)?(?:Apply|Assign|CountUpTo|Scatter(?!Nd$)|StridedSliceAssign)|^LookupTable(?:Insert|Remove)/;

/**
 * Whether a run of the signature may change what later runs read, a variable or a table; true where the graph is of a
 * form that can't be read. It needs no conversion, so it tells this of what can't be converted, too. Rejects as `convert`
 * for a model that is missing or damaged.
 */
export async function changesState(
  source: FileSource,
  { signature = "serving_default", tags = ["serve"] }: { signature?: string; tags?: readonly string[] } = {},
): Promise<boolean> {
  const model = await openSavedModel(source);
  try {
    const { graph } = await model.open(signature, tags);
    return allNodes(graph).some(({ op }) => writesState.test(op));
  } catch (error) {
    if (error instanceof InferenceError && error.code === "unsupported") return true;
    throw error;
  }
}
