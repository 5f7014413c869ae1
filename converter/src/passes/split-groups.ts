import { isChannelsLast } from "../graph/attr-values.ts";
import { walkValue } from "../graph/compute.ts";
import { constant } from "../graph/constant.ts";
import type { Node, TensorRef, TensorValue } from "../graph/graph.ts";
import { int32List, literal } from "../graph/literal.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";
import { stridesOf } from "../graph/strided.ts";

/**
 * A convolution in groups is one for each part of the channels, with its part of the filter, bias and slopes, and their
 * results side by side. TensorFlow.js knows no groups.
 */
export const splitGroups = rule((root, around) => {
  if (!convolutions.has(root.op) || !isChannelsLast(root)) return undefined;
  const [x, ...args] = root.inputs;
  const values = args.map((arg) => around.constantOf(arg));
  const [channels, depth] = [around.shapeOf(x)?.at(-1), values[0]?.shape[2]];
  if (x === undefined || typeof channels !== "number" || depth === undefined) return undefined;
  if (depth >= channels || channels % depth !== 0) return undefined;
  const groups = channels / depth;
  const parts = values.map((value) => value && partsOf(value, groups));
  const axis = literal("DT_INT32", [], [3]);
  if (axis === undefined || !parts.every((list) => list !== undefined)) return undefined;
  const axisNode = constant(around.freeName(`${root.name}/axis`), axis);
  const split: Node = {
    name: around.freeName(`${root.name}/split`),
    op: "Split",
    inputs: [firstOutput(axisNode), x],
    controls: [],
    attrs: { T: { type: "DT_FLOAT" }, num_split: { i: BigInt(groups) } },
  };
  const made = Array.from({ length: groups }, (_, group) => {
    const constants = parts.map((list, index) =>
      makePart(`${root.name}/group_${group}/${index === 0 ? "filter" : `argument_${index}`}`, list[group], around),
    );
    const input: TensorRef = { node: split.name, output: group };
    const name = around.freeName(`${root.name}/group_${group}`);
    return { constants, node: { ...root, name, inputs: [input, ...constants.map(firstOutput)] } };
  });
  const results = made.map(({ node }) => firstOutput(node));
  return [
    axisNode,
    split,
    ...made.flatMap(({ constants, node }) => [...constants, node]),
    {
      ...root,
      op: "ConcatV2",
      inputs: [...results, firstOutput(axisNode)],
      attrs: { N: { i: BigInt(groups) }, T: { type: "DT_FLOAT" }, Tidx: { type: "DT_INT32" } },
    },
  ];
});

const convolutions: ReadonlySet<string> = new Set(["Conv2D", "_FusedConv2D"]);

function makePart(name: string, value: TensorValue | undefined, { freeName }: Surroundings): Node {
  return constant(freeName(name), value ?? int32List([]));
}

/** Equal parts of a value along its last axis; undefined where they can't be computed. */
function partsOf(value: TensorValue, count: number): readonly TensorValue[] | undefined {
  const size = (value.shape.at(-1) ?? 0) / count;
  const shape = value.shape.with(-1, size);
  const strides = stridesOf(value.shape);
  const parts = Array.from({ length: count }, (_, index) =>
    walkValue(value, { dims: shape, strides, offset: index * size }, shape),
  );
  return parts.every((part) => part !== undefined) ? parts : undefined;
}
