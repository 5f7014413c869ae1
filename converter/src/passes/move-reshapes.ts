import { elementCount } from "@nearside/core";
import { isChannelsLast } from "../graph/attr-values.ts";
import { activationOps, filterOps } from "../graph/channels.ts";
import { constant } from "../graph/constant.ts";
import type { Node } from "../graph/graph.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * f(reshape(x ⊛ w)) = reshape(f(x ⊛ w)), where f works on each number or each channel (a bias, a scale, an activation)
 * and the channels stay the last axis or become the last ones. A Conv1D is a Conv2D and a squeeze, a Dense layer over a
 * sequence a matrix product and a reshape: they would keep what comes after them from being fused. The two nodes change
 * names.
 */
export const moveReshapes = rule((root, around) => {
  if (!activationOps.has(root.op) && !channelOps.has(root.op)) return undefined;
  const at = root.inputs.findIndex((input) => around.only(input, reshapeOps) !== undefined);
  const reshape = around.only(root.inputs[at], reshapeOps);
  const [source, ...target] = reshape?.inputs ?? [];
  if (reshape === undefined || source === undefined || around.only(source, sourceOps) === undefined) return undefined;
  const constants = listedConstants(root, at, reshape, around);
  if (constants === undefined) return undefined;
  const inputs = constants.length > 0 ? constants.map(firstOutput) : root.inputs.toSpliced(at, 1);
  const moved: Node = { ...root, name: reshape.name, inputs: inputs.toSpliced(at, 0, source) };
  return [...constants, moved, { ...reshape, name: root.name, inputs: [firstOutput(moved), ...target] }];
});

const reshapeOps: ReadonlySet<string> = new Set(["Reshape", "Squeeze"]);
const channelOps: ReadonlySet<string> = new Set(["Add", "AddV2", "BiasAdd", "Div", "Mul", "RealDiv", "Sub"]);
const sourceOps: ReadonlySet<string> = new Set([...filterOps, ...channelOps]);

/**
 * What stands for the root's constant where the axes are others: nothing new where the same will do, or undefined where
 * the root would do something else there.
 */
function listedConstants(root: Node, at: number, reshape: Node, around: Surroundings): readonly Node[] | undefined {
  if (activationOps.has(root.op)) return [];
  const value = around.constantOf(root.inputs[1 - at]);
  const [before, after] = [around.shapeOf(reshape.inputs[0])?.at(-1), around.shapeOf(firstOutput(reshape))];
  if (value === undefined || after === null || value.shape.length > after.length) return undefined;
  const isBias = root.op === "BiasAdd";
  if (isBias && !(at === 0 && isChannelsLast(root) && after.at(-1) === before)) return undefined;
  const count = elementCount(value.shape);
  const isNumber = count === 1 && !isBias;
  // The axes of the constant that aren't 1 are the channels: the last axis, or what it was taken apart into.
  const axes = value.shape.slice(
    Math.max(
      0,
      value.shape.findIndex((size) => size !== 1),
    ),
  );
  const isChannels = count === before && axes.every((size, axis) => size === after[axis + after.length - axes.length]);
  if (!isNumber && !isChannels) return undefined;
  if (value.shape.length <= 1) return [];
  const list = { ...value, shape: isNumber ? [] : [count] };
  return [constant(around.freeName(`${root.name}/list`), list)];
}
