import { integersAttr, isChannelsLast } from "../graph/attr-values.ts";
import { activationOps, filterOps } from "../graph/channels.ts";
import type { Node } from "../graph/graph.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * f(squeeze(x ⊛ w)) = squeeze(f(x ⊛ w)), where f works on each channel: a bias, a scale, an activation. A Conv1D is a
 * Conv2D and a squeeze, which would keep what comes after it from being fused. The two nodes change names.
 */
export const moveSqueezes = rule((root, around) => {
  const at = root.inputs.findIndex((input) => around.only(input, squeezeOps) !== undefined);
  const squeeze = around.only(root.inputs[at], squeezeOps);
  const [source] = squeeze?.inputs ?? [];
  if (squeeze === undefined || source === undefined || !worksOnChannels(root, at, around)) return undefined;
  const axes = [...integersAttr(squeeze, "squeeze_dims")];
  const keepsChannels = axes.length > 0 && axes.every((axis) => axis !== 3 && axis !== -1);
  if (!keepsChannels || around.only(source, sourceOps) === undefined) return undefined;
  const moved: Node = { ...root, name: squeeze.name, inputs: root.inputs.with(at, source) };
  return [moved, { ...squeeze, name: root.name, inputs: [firstOutput(moved)] }];
});

const squeezeOps: ReadonlySet<string> = new Set(["Squeeze"]);
const channelOps: ReadonlySet<string> = new Set(["Add", "AddV2", "BiasAdd", "Mul", "RealDiv", "Sub"]);
const sourceOps: ReadonlySet<string> = new Set([...filterOps, ...channelOps]);

/** Whether a node does the same to the channels with or without the other axes. */
function worksOnChannels(root: Node, at: number, { constantOf }: Surroundings): boolean {
  if (activationOps.has(root.op)) return true;
  const other = constantOf(root.inputs[1 - at]);
  if (!channelOps.has(root.op) || other === undefined) return false;
  if (root.op === "BiasAdd") return at === 0 && isChannelsLast(root);
  return other.shape.length <= 1;
}
