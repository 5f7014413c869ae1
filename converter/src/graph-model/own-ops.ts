import { isOwnOp } from "../ops.ts";

/** The ops of these nodes that only our runtime has; sorted. */
export function listOwnOps(nodes: readonly { readonly op: string }[]): readonly string[] {
  return [...new Set(nodes.map(({ op }) => op).filter(isOwnOp))].sort();
}
