import { isChannelsLast } from "../graph/attr-values.ts";
import { constant } from "../graph/constant.ts";
import { firstOutput, rule } from "../graph/rule.ts";

/**
 * A convolution in as many groups as there are channels is a depthwise one: its filter [h, w, 1, channels · multiplier]
 * is [h, w, channels, multiplier] there. TensorFlow.js knows no groups.
 */
export const formDepthwise = rule((root, around) => {
  if (root.op !== "Conv2D" || !isChannelsLast(root)) return undefined;
  const [x, filter] = root.inputs;
  const value = around.constantOf(filter);
  const channels = around.shapeOf(x)?.at(-1);
  if (x === undefined || value === undefined) return undefined;
  const [height = 0, width = 0, depth, out = 0] = value.shape;
  if (depth !== 1 || typeof channels !== "number" || channels === 1 || out % channels !== 0) return undefined;
  const shape = [height, width, channels, out / channels];
  const reshaped = constant(around.freeName(`${root.name}/depthwise`), { ...value, shape });
  return [reshaped, { ...root, op: "DepthwiseConv2dNative", inputs: [x, firstOutput(reshaped)] }];
});
