import { isChannelsLast, isTrue } from "./attr-values.ts";
import { compute } from "./compute.ts";
import type { Node, TensorRef, TensorValue } from "./graph.ts";
import { literal } from "./literal.ts";
import type { Surroundings } from "./rule.ts";

/** y·scale + offset */
export interface Affine {
  readonly y: TensorRef;
  readonly scale?: TensorValue | undefined;
  readonly offset?: TensorValue | undefined;
}

/** The ways to read a node as scaling or shifting one of its inputs by constants. */
export function readAffine(root: Node, around: Surroundings): readonly Affine[] {
  if (batchNormOps.has(root.op)) return readBatchNorm(root, around);
  const [a, b] = root.inputs;
  const [left, right] = [around.constantOf(a), around.constantOf(b)];
  const read = factors[root.op];
  if (read === undefined || a === undefined || b === undefined) return [];
  const forward = right === undefined ? [] : [{ y: a, ...read(right) }];
  const backward = left === undefined || !commutativeOps.has(root.op) ? [] : [{ y: b, ...read(left) }];
  return [...forward, ...backward].filter(({ scale, offset }) => scale !== undefined || offset !== undefined);
}

const factors: Readonly<Record<string, (constant: TensorValue) => Omit<Affine, "y">>> = {
  Add: (offset) => ({ offset }),
  AddV2: (offset) => ({ offset }),
  BiasAdd: (offset) => ({ offset }),
  Div: (divisor) => ({ scale: compute("Reciprocal", divisor) }),
  Mul: (scale) => ({ scale }),
  RealDiv: (divisor) => ({ scale: compute("Reciprocal", divisor) }),
  Sub: (offset) => ({ offset: compute("Neg", offset) }),
};
const commutativeOps: ReadonlySet<string> = new Set(["Add", "AddV2", "Mul"]);
const batchNormOps: ReadonlySet<string> = new Set(["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"]);

/** The ops that may be read so. */
export const affineOps: ReadonlySet<string> = new Set([...Object.keys(factors), ...batchNormOps]);

/** batchNorm(y) = y·k + (β − μ·k), where k = γ / √(σ² + ε) */
function readBatchNorm(root: Node, around: Surroundings): readonly Affine[] {
  const [y, ...rest] = root.inputs;
  const [gamma, beta, mean, variance] = rest.map((input) => around.constantOf(input));
  const { epsilon, is_training } = root.attrs;
  const isInference = is_training !== undefined && !isTrue(root, "is_training");
  if (y === undefined || !isInference || epsilon === undefined || !("f" in epsilon)) return [];
  if (!gamma || !beta || !mean || !variance || !isChannelsLast(root)) return [];
  const small = literal("DT_FLOAT", [], [epsilon.f]);
  const sum = small && compute("AddV2", variance, small);
  const inverseRoot = sum && compute("Rsqrt", sum);
  const scale = inverseRoot && compute("Mul", gamma, inverseRoot);
  const shift = scale && compute("Mul", mean, scale);
  const offset = shift && compute("Sub", beta, shift);
  return scale === undefined || offset === undefined ? [] : [{ y, scale, offset }];
}

/** Scale and offset of (y·k + c)·scale + offset; `undefined` where they can't be computed. */
export function compose(inner: Omit<Affine, "y">, outer: Omit<Affine, "y">): Omit<Affine, "y"> | undefined {
  const [scale, scaled] = [product(inner.scale, outer.scale), product(inner.offset, outer.scale)];
  const isMissing = (inner.scale && !scale) || (inner.offset && !scaled);
  const offset = inner.offset ? sum(scaled, outer.offset) : outer.offset;
  return isMissing || (inner.offset && !offset) || (outer.scale && !scale) ? undefined : { scale, offset };
}

function product(a: TensorValue | undefined, b: TensorValue | undefined): TensorValue | undefined {
  return a && b ? compute("Mul", a, b) : (a ?? b);
}

function sum(a: TensorValue | undefined, b: TensorValue | undefined): TensorValue | undefined {
  return a && b ? compute("AddV2", a, b) : (a ?? b);
}
