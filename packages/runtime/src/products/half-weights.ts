import type { Manifest } from "@nearside/core";
import { type GraphBody, parseGraphDef, parseRef } from "../plan/graph-def.ts";
import { rankOfSecond } from "./product-node.ts";

/** The names of a model's float32 weights that nothing takes but products, as their second operand. */
export function findHalfWeights({ json, weightGroups, outputNames, state }: Manifest): ReadonlySet<string> {
  const { nodes, functions } = parseGraphDef(json.modelTopology);
  const initializer = parseGraphDef(json.modelInitializer ?? {});
  const taken = new Map<string, Set<number>>(); // by weights' names: the ranks that they must have, 0 for none
  const take = (name: string, rank: number) => taken.set(name, (taken.get(name) ?? new Set()).add(rank));
  const outputs = [...Object.values(outputNames), ...state.map(({ output }) => output)].map(parseRef);
  const bodies: readonly Pick<GraphBody, "nodes" | "outputs">[] = [
    { nodes, outputs },
    { ...initializer, outputs: [] },
    ...functions.values(),
  ];
  for (const body of bodies) {
    for (const { node } of body.outputs) take(node, 0);
    for (const node of body.nodes.values()) {
      for (const [place, input] of node.inputs.entries()) take(input.node, place === 1 ? rankOfSecond(node) : 0);
    }
  }
  for (const { initial } of state) take(initial, 0);
  const weights = weightGroups.flatMap((group) => group.weights);
  const isTakenByProducts = ({ name, shape }: { readonly name: string; readonly shape: readonly number[] }) =>
    [...(taken.get(name) ?? [0])].every((rank) => rank > 0 && rank === shape.length);
  return new Set(
    weights
      .filter(({ dtype }) => dtype === "float32")
      .filter(isTakenByProducts)
      .map(({ name }) => name),
  );
}
