import { affineOps, compose, readAffine } from "../graph/affine.ts";
import { perChannel } from "../graph/channels.ts";
import { constant } from "../graph/constant.ts";
import type { Attrs, Node, TensorRef, TensorValue } from "../graph/graph.ts";
import { literal } from "../graph/literal.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * Makes one node of scales and shifts of each channel that follow one another: a product, a sum, or
 * `y·k + c = batchNorm(y)` with γ = k, β = c, μ = 0 and σ² = 1, which TensorFlow.js computes in one kernel.
 */
export const mergeScales = rule((root, around) => {
  if (root.op === "BiasAdd") return undefined; // it goes with a convolution
  for (const { y: middle, ...outer } of readAffine(root, around)) {
    const inner = around.only(middle, affineOps);
    if (inner === undefined || inner.op === "BiasAdd") continue;
    for (const { y, ...first } of readAffine(inner, around)) {
      const merged = merge(root, y, [first, outer], around);
      if (merged !== undefined) return merged;
    }
  }
  return undefined;
});

interface Step {
  readonly scale?: TensorValue | undefined;
  readonly offset?: TensorValue | undefined;
}

function merge(
  root: Node,
  y: TensorRef,
  steps: readonly [Step, Step],
  around: Surroundings,
): readonly Node[] | undefined {
  const shape = around.shapeOf(y);
  const count = shape?.at(-1);
  if (shape === null || typeof count !== "number" || shape.length < 2 || shape.length > 4) return undefined;
  const [inner, outer] = steps.map((step) => listed(step, { count, rank: shape.length }));
  const composed = inner && outer && compose(inner, outer);
  if (composed === undefined) return undefined;
  const { scale, offset } = composed;
  const T = { type: "DT_FLOAT" } as const;
  const [k, c] = [scale && makeConstant("scale", scale), offset && makeConstant("offset", offset)];
  if (k !== undefined && c !== undefined) return batchNorm(root, y, [k, c], count, around);
  const [factor] = [k ?? c];
  const op = k === undefined ? "AddV2" : "Mul";
  return factor && [factor, { ...root, op, inputs: [y, firstOutput(factor)], attrs: { T } }];

  function makeConstant(name: string, value: TensorValue): Node {
    return constant(around.freeName(`${root.name}/${name}`), value);
  }
}

/** The step's values as lists of one number per channel. */
function listed({ scale, offset }: Step, channels: { count: number; rank: number }): Step | undefined {
  const step = { scale: scale && perChannel(scale, channels), offset: offset && perChannel(offset, channels) };
  return (scale && !step.scale) || (offset && !step.offset) ? undefined : step;
}

function batchNorm(
  root: Node,
  y: TensorRef,
  [scale, offset]: readonly [Node, Node],
  count: number,
  { freeName }: Surroundings,
): readonly Node[] | undefined {
  const lists = [0, 1].map((number) => literal("DT_FLOAT", [count], new Array<number>(count).fill(number)));
  const [zeros, ones] = lists;
  if (zeros === undefined || ones === undefined) return undefined;
  const mean = constant(freeName(`${root.name}/mean`), zeros);
  const variance = constant(freeName(`${root.name}/variance`), ones);
  const type = { type: "DT_FLOAT" } as const;
  const attrs: Attrs = {
    T: type,
    U: type,
    data_format: { s: new TextEncoder().encode("NHWC") },
    epsilon: { f: 0 },
    is_training: { b: false },
  };
  const inputs = [y, ...[scale, offset, mean, variance].map(firstOutput)];
  return [scale, offset, mean, variance, { ...root, op: "FusedBatchNormV3", inputs, attrs }];
}
