import type { Node, TensorRef } from "../graph/graph.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * x·s + (β − μ·s) = (x − μ)·s + β, and (x − μ)·(r·γ) + β = ((x − μ)·r)·γ + β: how layer norms are written. β and γ,
 * which are constants, then come last, where they can be folded into what follows; and fewer tensors are as large as x.
 */
export const formNormalisation = rule((root, around) => {
  if (!addOps.has(root.op)) return undefined;
  const [a, b] = root.inputs;
  return normalise(root, a, b, around) ?? normalise(root, b, a, around);
});

const op = (...names: readonly string[]): ReadonlySet<string> => new Set(names);
const [addOps, mul, neg, sub] = [op("Add", "AddV2"), op("Mul"), op("Neg"), op("Sub")];

function normalise(
  root: Node,
  scaled: TensorRef | undefined,
  shift: TensorRef | undefined,
  around: Surroundings,
): readonly Node[] | undefined {
  const product = around.only(scaled, mul);
  const isFactor = ({ scale }: Shift) => product?.inputs.some((input) => isSame(input, scale)) === true;
  const shifted = readShifts(shift, around).find(isFactor);
  if (product === undefined || shifted === undefined) return undefined;
  const { mean, scale, offset } = shifted;
  const x = product.inputs.find((input) => !isSame(input, scale));
  if (x === undefined || around.constantOf(scale) !== undefined || around.usesOf(scale.node) !== 2) return undefined;
  const name = (suffix: string) => around.freeName(`${root.name}/${suffix}`);
  const binary = (suffix: string, op: string, inputs: readonly TensorRef[]): Node => ({
    ...root,
    name: name(suffix),
    op,
    inputs,
  });
  const centred = binary("centred", "Sub", [x, mean]);
  const [factor, gamma] = splitScale(scale, around);
  const normal = binary("normal", "Mul", [firstOutput(centred), factor]);
  const scaledNormal = gamma === undefined ? [] : [binary("scaled", "Mul", [firstOutput(normal), gamma])];
  return [centred, normal, ...scaledNormal, { ...root, inputs: [firstOutput(scaledNormal[0] ?? normal), offset] }];
}

/** (−μ)·s + β, or β − μ·s */
interface Shift {
  readonly mean: TensorRef;
  readonly scale: TensorRef;
  readonly offset: TensorRef;
}

/** The ways to read a tensor as a shift. */
function readShifts(ref: TensorRef | undefined, around: Surroundings): readonly Shift[] {
  const sum = around.only(ref, addOps) ?? around.only(ref, sub);
  const at = sum?.inputs.findIndex((input) => around.constantOf(input) !== undefined) ?? -1;
  const [offset, rest] = [sum?.inputs[at], sum?.inputs[1 - at]];
  const [a, b] = around.only(rest, mul)?.inputs ?? [];
  if (sum === undefined || offset === undefined || a === undefined || b === undefined) return [];
  if (sum.op === "Sub") {
    const isMinuend = at === 0;
    return isMinuend ? [a, b].map((mean) => ({ mean, scale: mean === a ? b : a, offset })) : [];
  }
  return [a, b].flatMap((factor) => {
    const [mean] = around.only(factor, neg)?.inputs ?? [];
    return mean === undefined ? [] : [{ mean, scale: factor === a ? b : a, offset }];
  });
}

/** r and γ of s = r·γ, where γ is constant; or s alone. */
function splitScale(scale: TensorRef, { nodeOf, constantOf }: Surroundings): readonly [TensorRef, TensorRef?] {
  const node = nodeOf(scale);
  const at = node?.op === "Mul" ? node.inputs.findIndex((input) => constantOf(input) !== undefined) : -1;
  const [gamma, factor] = [node?.inputs[at], node?.inputs[1 - at]];
  return gamma === undefined || factor === undefined ? [scale] : [factor, gamma];
}

function isSame(a: TensorRef, b: TensorRef): boolean {
  return a.node === b.node && a.output === b.output;
}
