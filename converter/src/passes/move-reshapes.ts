import { integersAttr, isChannelsLast } from "../graph/attr-values.ts";
import { activationOps, filterOps, perChannel } from "../graph/channels.ts";
import { constant } from "../graph/constant.ts";
import type { Node } from "../graph/graph.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * f(reshape(x ⊛ w)) = reshape(f(x ⊛ w)), where f works on each channel (a bias, a scale, an activation) and the channels
 * stay the last axis. A Conv1D is a Conv2D and a squeeze, a Dense layer over a sequence a matrix product and a reshape:
 * they would keep what comes after them from being fused. The two nodes change names.
 */
export const moveReshapes = rule((root, around) => {
  const at = root.inputs.findIndex((input) => around.only(input, reshapeOps) !== undefined);
  const reshape = around.only(root.inputs[at], reshapeOps);
  const [source, ...target] = reshape?.inputs ?? [];
  if (reshape === undefined || source === undefined || around.only(source, sourceOps) === undefined) return undefined;
  const constants = keepsChannels(reshape, around) ? listedConstants(root, at, reshape, around) : undefined;
  if (constants === undefined) return undefined;
  const inputs = constants.length > 0 ? constants.map(firstOutput) : root.inputs.toSpliced(at, 1);
  const moved: Node = { ...root, name: reshape.name, inputs: inputs.toSpliced(at, 0, source) };
  return [...constants, moved, { ...reshape, name: root.name, inputs: [firstOutput(moved), ...target] }];
});

const reshapeOps: ReadonlySet<string> = new Set(["Reshape", "Squeeze"]);
const channelOps: ReadonlySet<string> = new Set(["Add", "AddV2", "BiasAdd", "Div", "Mul", "RealDiv", "Sub"]);
const sourceOps: ReadonlySet<string> = new Set([...filterOps, ...channelOps]);

function keepsChannels(reshape: Node, { shapeOf }: Surroundings): boolean {
  if (reshape.op === "Squeeze") {
    const axes = integersAttr(reshape, "squeeze_dims");
    return axes.length > 0 && axes.every((axis) => axis !== 3 && axis !== -1);
  }
  const [before, after] = [shapeOf(reshape.inputs[0])?.at(-1), shapeOf(firstOutput(reshape))?.at(-1)];
  return typeof before === "number" && before === after;
}

/**
 * What stands for the root's constant where the axes are others: nothing new where it has none but the channels', or
 * undefined where the root doesn't do the same to the channels without the other axes.
 */
function listedConstants(root: Node, at: number, reshape: Node, around: Surroundings): readonly Node[] | undefined {
  if (activationOps.has(root.op)) return [];
  const value = around.constantOf(root.inputs[1 - at]);
  if (!channelOps.has(root.op) || value === undefined) return undefined;
  if (root.op === "BiasAdd") return at === 0 && isChannelsLast(root) ? [] : undefined;
  if (value.shape.length <= 1) return [];
  const shape = around.shapeOf(firstOutput(reshape));
  const count = shape?.at(-1);
  const list = shape && typeof count === "number" && perChannel(value, { count, rank: shape.length });
  return list ? [constant(around.freeName(`${root.name}/list`), list)] : undefined;
}
