import { InferenceError } from "@nearside/core";
import type { GraphNode } from "./graph-def.ts";

/**
 * The nodes that `wanted` needs, each after those that it takes from; inputs are given and need nothing. Throws
 * `data-loss` where a node is missing, or nodes wait for each other.
 */
export function orderNodes(
  nodes: ReadonlyMap<string, GraphNode>,
  wanted: readonly string[],
  inputs: ReadonlySet<string>,
  withControls: boolean,
): readonly GraphNode[] {
  const order: GraphNode[] = [];
  const state = new Map<string, "open" | "done">();
  const stack = [...wanted].reverse();
  while (stack.length > 0) {
    const name = stack.at(-1) as string; // it isn't empty
    if (inputs.has(name) || state.get(name) === "done") {
      stack.pop();
      continue;
    }
    const node = nodes.get(name);
    if (node === undefined) throw broken(`expected a node "${name}", got none`);
    if (state.get(name) === "open") {
      stack.pop();
      state.set(name, "done");
      order.push(node);
      continue;
    }
    state.set(name, "open");
    const needed = [...node.inputs.map((input) => input.node), ...(withControls ? node.controls : [])];
    for (const next of needed.reverse()) {
      if (state.get(next) === "open") throw broken(`nodes "${name}" and "${next}" wait for each other`);
      if (state.get(next) === undefined) stack.push(next);
    }
  }
  return order;
}

function broken(message: string): InferenceError {
  return new InferenceError("data-loss", `modelTopology: ${message}; convert the model again`);
}
