import { isChannelsLast, textAttr } from "../graph/attr-values.ts";
import { smallNumbers } from "../graph/compute.ts";
import type { Attrs, Node } from "../graph/graph.ts";
import { rule, type Surroundings } from "../graph/rule.ts";

/** pad(x) ⊛ w = x ⊛ w with those paddings, where zeros are put around height and width alone */
export const foldPaddings = rule((root, around) => {
  if (!windowOps.has(root.op)) return undefined;
  const isValid = textAttr(root, "padding") === "VALID" && isChannelsLast(root);
  const pad = isValid ? around.only(root.inputs[0], padOps) : undefined;
  const [x] = pad?.inputs ?? [];
  const paddings = pad && spatialPaddings(pad, around);
  if (x === undefined || paddings === undefined) return undefined;
  const attrs: Attrs = {
    ...root.attrs,
    padding: { s: new TextEncoder().encode("EXPLICIT") },
    explicit_paddings: { list: { i: paddings.map(BigInt) } },
  };
  return [{ ...root, inputs: [x, ...root.inputs.slice(1)], attrs }];
});

const windowOps: ReadonlySet<string> = new Set(["Conv2D", "DepthwiseConv2dNative"]);
const padOps: ReadonlySet<string> = new Set(["Pad", "PadV2"]);

/** The zeros before and after each axis of NHWC, if there are none around batch and channels. */
function spatialPaddings(pad: Node, { constantOf }: Surroundings): readonly number[] | undefined {
  const [amounts, filling] = [constantOf(pad.inputs[1]), constantOf(pad.inputs[2])];
  const isZero = pad.op === "Pad" || (filling !== undefined && smallNumbers(filling)?.[0] === 0);
  const paddings = amounts && smallNumbers(amounts);
  if (!isZero || paddings?.length !== 8 || paddings.some((size) => size < 0)) return undefined;
  return [0, 1, 6, 7].every((at) => paddings[at] === 0) ? paddings : undefined;
}
