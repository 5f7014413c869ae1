import type { Node } from "../../converter/src/graph/graph.ts";
import { constantNode, integers, node } from "../../converter/testing/tiny-graph.ts";
import { type Case, float, floats, image, ops, sliding, testCases } from "./tiny-cases.ts";

/** A block of ResNet50, whose batch norms are written as Keras 3 does, and the beginning and the end of the network. */
function residualNetwork(): Case {
  const nodes: Node[] = [image];
  const convolve = (name: string, of: string, shape: readonly number[], padding: string, stride = 1): string => {
    const out = shape.at(-1) ?? 0;
    nodes.push(
      floats(`${name}/w`, shape),
      floats(`${name}/b`, [out]),
      floats(`${name}/k`, [1, 1, 1, out], 0.5, 1.5),
      floats(`${name}/c`, [1, 1, 1, out]),
      node(`${name}/conv`, "Conv2D", [of, `${name}/w`], { attrs: sliding(padding, stride) }),
      node(`${name}/biased`, "BiasAdd", [`${name}/conv`, `${name}/b`], { attrs: { T: float } }),
      node(`${name}/mul`, "Mul", [`${name}/biased`, `${name}/k`], { attrs: { T: float } }),
      node(name, "AddV2", [`${name}/mul`, `${name}/c`], { attrs: { T: float } }),
    );
    return name;
  };
  const relu = (of: string): string => {
    nodes.push(node(`${of}/relu`, "Relu", [of], { attrs: { T: float } }));
    return `${of}/relu`;
  };
  nodes.push(
    constantNode("paddings", { ...integers(0, 0, 3, 3, 3, 3, 0, 0), shape: [4, 2] }),
    node("padded", "Pad", ["x", "paddings"], { attrs: { T: float } }),
  );
  const start = relu(convolve("stem", "padded", [7, 7, 3, 4], "VALID", 2));
  let of = start;
  for (const block of ["first", "second"]) {
    const narrow = relu(convolve(`${block}/1`, of, [1, 1, block === "first" ? 4 : 8, 4], "VALID"));
    const middle = relu(convolve(`${block}/2`, narrow, [3, 3, 4, 4], "SAME"));
    const wide = convolve(`${block}/3`, middle, [1, 1, 4, 8], "VALID");
    const aside = block === "first" ? convolve(`${block}/0`, of, [1, 1, 4, 8], "VALID") : of;
    nodes.push(node(`${block}/sum`, "AddV2", [aside, wide], { attrs: { T: float } }));
    of = relu(`${block}/sum`);
  }
  nodes.push(constantNode("axes", integers(1, 2)), node("y", "Mean", [of, "axes"], { attrs: { T: float } }));
  const [convolution, block] = ["_FusedConv2D", "_FusedConv2D _FusedConv2D _FusedConv2D"];
  return {
    title: "a residual network: nothing but its sums, and the Relu after each, stands beside the convolutions",
    nodes,
    ops: ops(`${convolution} ${block} ${convolution} AddV2 Relu ${block} AddV2 Relu Mean`),
  };
}

testCases("residual networks", [residualNetwork()]);
