import { affineOps, compose, readAffine } from "../graph/affine.ts";
import { fusableOps, inputChannelsOf, isPadded, perChannel } from "../graph/channels.ts";
import { compute, sumValue } from "../graph/compute.ts";
import { isSharedFilter, withFilter } from "../graph/filtered.ts";
import type { Node, TensorRef, TensorValue } from "../graph/graph.ts";
import { rule, type Surroundings } from "../graph/rule.ts";

/**
 * Folds what scales and shifts each channel of what a convolution or a matrix product takes into its filter and a bias:
 *
 *     (x·k + c) ⊛ w = x ⊛ (k·w) + Σ c·w
 *
 * Zeros that a padded convolution puts around its input are scaled, too, but not shifted: there only k is folded. Before
 * a matrix product there may be a reshape that keeps the last axis.
 */
export const foldInputScales = rule((root, around) => {
  const filter = around.constantOf(root.inputs[1]);
  const channels = inputChannelsOf(root, filter);
  if (filter === undefined || channels === undefined) return undefined;
  const [x, ...rest] = root.inputs;
  const reshape = root.op === "MatMul" ? around.only(x, reshapeOps) : undefined;
  if (reshape !== undefined && around.shapeOf(x)?.at(-1) !== channels.count) return undefined;
  const canShift = !isPadded(root, filter);
  let folded: Folded = { y: reshape?.inputs[0] ?? x };
  for (let next: Folded | undefined = folded; next !== undefined; ) {
    folded = next;
    next = foldNext(folded, channels.count, canShift, around);
  }
  const { y, scale, offset } = folded;
  if (y === undefined || (scale === undefined && offset === undefined)) return undefined;
  if (scale !== undefined && isSharedFilter(root, around)) return undefined;
  const over = (value: TensorValue) => compute("Mul", filter, { ...value, shape: channels.overFilter });
  const scaled = scale === undefined ? filter : over(scale);
  const terms = offset && over(offset);
  const sums = terms && sumValue(terms, channels.summed);
  if (scaled === undefined || (offset !== undefined && sums === undefined)) return undefined;
  const bias = sums && { ...sums, shape: [sums.shape.reduce((product, size) => product * size, 1)] };
  const moved = reshape && { ...reshape, inputs: [y, ...reshape.inputs.slice(1)] };
  const node: Node = moved === undefined ? { ...root, inputs: [y, ...rest] } : root;
  return [...(moved === undefined ? [] : [moved]), ...withFilter(root, node, scaled, bias, around)];
});

const reshapeOps: ReadonlySet<string> = new Set(["Reshape"]);

/** What is to be folded, lists of one number per channel, and the tensor that is left. */
interface Folded {
  readonly y: TensorRef | undefined;
  readonly scale?: TensorValue | undefined;
  readonly offset?: TensorValue | undefined;
}

/** One node more, if it can be folded. */
function foldNext(folded: Folded, count: number, canShift: boolean, around: Surroundings): Folded | undefined {
  const node = around.only(folded.y, affineOps);
  // A bias costs nothing where it can be fused.
  if (node === undefined || around.only(node.inputs[0], fusableOps) !== undefined) return undefined;
  for (const { y, scale, offset } of readAffine(node, around)) {
    const shape = around.shapeOf(y);
    if (shape?.at(-1) !== count || (offset !== undefined && !canShift)) continue;
    const channels = { count, rank: shape.length };
    const inner = {
      scale: scale && perChannel(scale, channels),
      offset: offset && perChannel(offset, channels),
    };
    if ((scale && !inner.scale) || (offset && !inner.offset)) continue;
    const composed = compose(inner, folded);
    if (composed !== undefined) return { y, ...composed };
  }
  return undefined;
}
