import type { GraphNode } from "../plan/graph-def.ts";
import { isActivation } from "./product-shader.ts";

/** The ranks that a second operand has in the ops that become products. */
const ranks: Readonly<Record<string, number>> = {
  MatMul: 2,
  BatchMatMul: 2,
  BatchMatMulV3: 2,
  _FusedMatMul: 2,
  Conv2D: 4,
  _FusedConv2D: 4,
};

/** The rank that the second operand has in a node that is one product's kernel; 0 where the node isn't. */
export function rankOfSecond({ op, attrs }: GraphNode): number {
  const [, activation = "linear"] = attrs.texts("fused_ops").map((name) => name.toLowerCase());
  const isProduct = attrs.text("data_format", "NHWC") === "NHWC" && isActivation(activation);
  return isProduct && activation !== "prelu" ? (ranks[op] ?? 0) : 0; // its slopes need not be per column
}
