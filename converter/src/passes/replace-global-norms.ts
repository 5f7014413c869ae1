import { isTrue } from "../graph/attr-values.ts";
import { constant } from "../graph/constant.ts";
import type { Attr, Attrs, Node } from "../graph/graph.ts";
import { literal } from "../graph/literal.ts";
import { firstOutput, rule } from "../graph/rule.ts";

/**
 * BatchNormWithGlobalNormalization(x, μ, σ², β, γ), TensorFlow's first form of a batch norm, as FusedBatchNorm:
 *
 *     (x − μ) / √(σ² + ε) · γ + β, where γ counts as 1 without `scale_after_normalization`
 */
export const replaceGlobalNorms = rule((root, { constantOf, freeName }) => {
  if (root.op !== "BatchNormWithGlobalNormalization") return undefined;
  const [x, mean, variance, beta, gamma] = root.inputs;
  const float: Attr = { type: "DT_FLOAT" };
  const { variance_epsilon, T = float } = root.attrs;
  if (!x || !mean || !variance || !beta || !gamma || variance_epsilon === undefined) return undefined;
  const data_format = { s: new TextEncoder().encode("NHWC") };
  const attrs: Attrs = { T, epsilon: variance_epsilon, is_training: { b: false }, data_format };
  const norm = { ...root, op: "FusedBatchNorm", attrs } satisfies Node;
  if (isTrue(root, "scale_after_normalization")) return [{ ...norm, inputs: [x, gamma, beta, mean, variance] }];
  const [count] = constantOf(gamma)?.shape ?? [];
  const ones = count === undefined ? undefined : literal("DT_FLOAT", [count], new Array<number>(count).fill(1));
  if (ones === undefined) return undefined;
  const scale = constant(freeName(`${root.name}/ones`), ones);
  return [scale, { ...norm, inputs: [x, firstOutput(scale), beta, mean, variance] }];
});
