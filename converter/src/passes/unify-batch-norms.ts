import { constant } from "../graph/constant.ts";
import type { Attr, Attrs, Node } from "../graph/graph.ts";
import { literal } from "../graph/literal.ts";
import { firstOutput, rule } from "../graph/rule.ts";

/** Writes TensorFlow's first batch norm as its last, with other names and another order: γ is 1 where it isn't used. */
export const unifyBatchNorms = rule((root, around) => {
  const [x, mean, variance, beta, gamma] = root.inputs;
  if (root.op !== "BatchNormWithGlobalNormalization" || !x || !mean || !variance || !beta || !gamma) return undefined;
  const { variance_epsilon, scale_after_normalization, T = float } = root.attrs;
  const isScaled = scale_after_normalization !== undefined && "b" in scale_after_normalization;
  if (variance_epsilon === undefined || !("f" in variance_epsilon) || !isScaled) return undefined;
  const [count] = around.shapeOf(mean) ?? [];
  const ones = typeof count === "number" ? literal("DT_FLOAT", [count], new Array<number>(count).fill(1)) : undefined;
  const scale = ones && constant(around.freeName(`${root.name}/scale`), ones);
  if (!scale_after_normalization.b && scale === undefined) return undefined;
  const attrs: Attrs = {
    T,
    data_format: { s: new TextEncoder().encode("NHWC") },
    epsilon: variance_epsilon,
    is_training: { b: false },
  };
  const made = scale === undefined || scale_after_normalization.b ? [] : [scale];
  const factor = made[0] === undefined ? gamma : firstOutput(made[0]);
  const norm: Node = { ...root, op: "FusedBatchNormV3", inputs: [x, factor, beta, mean, variance], attrs };
  return [...made, norm];
});

const float: Attr = { type: "DT_FLOAT" };
