import { isChannelsLast, isTrue } from "../graph/attr-values.ts";
import { channelsOf, filterOps, perChannel } from "../graph/channels.ts";
import { compute } from "../graph/compute.ts";
import { constant } from "../graph/constant.ts";
import type { Node, TensorRef, TensorValue } from "../graph/graph.ts";
import { literal } from "../graph/literal.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * Folds what scales and shifts each channel of a convolution or a matrix product into its filter and one bias:
 *
 *     (x ⊛ w + b)·k + c = x ⊛ (w·k) + (b·k + c)
 *     batchNorm(y) = y·k + (β − μ·k), where k = γ / √(σ² + ε)
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
    const isShared = scale !== undefined && around.usesOf(node.inputs[1]?.node ?? "") > 1; // it would be stored twice
    if (isFolded || isShared) continue;
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

/** y·scale + offset */
interface Affine {
  readonly y: TensorRef | undefined;
  readonly scale?: TensorValue | undefined;
  readonly offset?: TensorValue | undefined;
}

/** The ways to read a node as scaling or shifting one of its inputs by constants. */
function readAffine(root: Node, around: Surroundings): readonly Affine[] {
  if (batchNormOps.has(root.op)) return readBatchNorm(root, around);
  const [a, b] = root.inputs;
  const [left, right] = [around.constantOf(a), around.constantOf(b)];
  const read = affineOps[root.op];
  if (read === undefined) return [];
  const forward = right === undefined ? [] : [{ y: a, ...read(right) }];
  const backward = left === undefined || !commutativeOps.has(root.op) ? [] : [{ y: b, ...read(left) }];
  return [...forward, ...backward].filter(({ scale, offset }) => scale !== undefined || offset !== undefined);
}

type Factors = Pick<Affine, "scale" | "offset">;

const affineOps: Readonly<Record<string, (constant: TensorValue) => Factors>> = {
  Add: (offset) => ({ offset }),
  AddV2: (offset) => ({ offset }),
  BiasAdd: (offset) => ({ offset }),
  Mul: (scale) => ({ scale }),
  RealDiv: (divisor) => ({ scale: compute("Reciprocal", divisor) }),
  Sub: (offset) => ({ offset: compute("Neg", offset) }),
};
const commutativeOps: ReadonlySet<string> = new Set(["Add", "AddV2", "Mul"]);
const batchNormOps: ReadonlySet<string> = new Set(["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"]);

function readBatchNorm(root: Node, around: Surroundings): readonly Affine[] {
  const [y, ...rest] = root.inputs;
  const [gamma, beta, mean, variance] = rest.map((input) => around.constantOf(input));
  const { epsilon, is_training } = root.attrs;
  const isInference = is_training !== undefined && !isTrue(root, "is_training");
  if (!isInference || epsilon === undefined || !("f" in epsilon) || !isChannelsLast(root)) return [];
  if (!gamma || !beta || !mean || !variance) return [];
  const small = literal("DT_FLOAT", [], [epsilon.f]);
  const sum = small && compute("AddV2", variance, small);
  const inverseRoot = sum && compute("Rsqrt", sum);
  const scale = inverseRoot && compute("Mul", gamma, inverseRoot);
  const shift = scale && compute("Mul", mean, scale);
  const offset = shift && compute("Sub", beta, shift);
  return scale === undefined || offset === undefined ? [] : [{ y, scale, offset }];
}

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

/** The node with another filter and a bias, under the root's name. */
function withFilter(
  root: Node,
  node: Node,
  filter: TensorValue,
  bias: TensorValue | undefined,
  { constantOf, freeName }: Surroundings,
): readonly Node[] {
  const [x, oldFilter, ...rest] = node.inputs;
  if (x === undefined || oldFilter === undefined) return [root];
  const isSame = constantOf(oldFilter) === filter;
  const weights = constant(freeName(`${root.name}/filter`), filter);
  const inputs = [x, isSame ? oldFilter : firstOutput(weights), ...rest];
  const constants = isSame ? [] : [weights];
  if (bias === undefined) return [...constants, { ...node, name: root.name, inputs }];
  const offset = constant(freeName(`${root.name}/bias`), bias);
  const filtered = { ...node, inputs };
  const attrs = { T: { type: bias.dtype }, data_format: { s: new TextEncoder().encode("NHWC") } };
  const added: Node = { ...root, op: "BiasAdd", inputs: [firstOutput(filtered), firstOutput(offset)], attrs };
  return [...constants, filtered, offset, added];
}
