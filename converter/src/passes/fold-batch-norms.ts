import { readAffine } from "../graph/affine.ts";
import { isChannelsLast } from "../graph/attr-values.ts";
import { channelsOf, filterOps, perChannel } from "../graph/channels.ts";
import { compute } from "../graph/compute.ts";
import { isSharedFilter, withFilter } from "../graph/filtered.ts";
import type { TensorRef } from "../graph/graph.ts";
import { rule, type Surroundings } from "../graph/rule.ts";

/**
 * Folds what scales and shifts each channel of a convolution or a matrix product, such as a batch norm, into its filter
 * and one bias:
 *
 *     (x ⊛ w + b)·k + c = x ⊛ (w·k) + (b·k + c)
 *
 * Only where w, b, k and c are constants, k and c are one number per channel (the sum of two branches isn't), and
 * nothing else takes what lies between.
 */
export const foldBatchNorms = rule((root, around) => {
  for (const { y, scale, offset } of readAffine(root, around)) {
    const filtered = readFiltered(y, around);
    if (filtered === undefined) continue;
    const { node, filter, bias, channels } = filtered;
    const isFolded = root.op === "BiasAdd" && bias === undefined;
    if (isFolded || (scale !== undefined && isSharedFilter(node, around))) continue;
    const k = scale && perChannel(scale, channels);
    const c = offset && perChannel(offset, channels);
    const w = k === undefined ? filter : compute("Mul", filter, { ...k, shape: channels.overFilter });
    const scaled = bias && k ? compute("Mul", bias, k) : bias;
    const shifted = scaled && c ? compute("AddV2", scaled, c) : (scaled ?? c);
    const isKnown = (!scale || k) && (!offset || c) && (!bias || scaled) && (!(bias ?? offset) || shifted);
    if (isKnown && w !== undefined) return withFilter(root, node, w, shifted, around);
  }
  return undefined;
});

/** x ⊛ filter + bias */
function readFiltered(ref: TensorRef | undefined, around: Surroundings) {
  const added = around.only(ref, biasOps);
  const node = around.only(added === undefined ? ref : added.inputs[0], filterOps);
  const filter = around.constantOf(node?.inputs[1]);
  const channels = node && filter && channelsOf(node, filter);
  if (node === undefined || filter === undefined || channels === undefined) return undefined;
  if (added === undefined) return { node, filter, channels };
  const bias = around.constantOf(added.inputs[1]);
  const isPlain = isChannelsLast(added) && bias?.dtype === "DT_FLOAT" && bias.shape.length === 1;
  return isPlain && bias.shape[0] === channels.count ? { node, filter, channels, bias } : undefined;
}

const biasOps: ReadonlySet<string> = new Set(["BiasAdd"]);
