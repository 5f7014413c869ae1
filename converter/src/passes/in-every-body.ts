import type { Body, Pass } from "../graph/graph.ts";

/** Does a pass on the graph and on each of its functions. The pass itself must leave the functions alone. */
export function inEveryBody(pass: Pass): Pass {
  const everywhere: Pass = (graph) => ({
    ...pass(graph),
    functions: new Map(
      [...graph.functions].map(([name, body]) => [name, bodyOf(pass({ ...body, functions: graph.functions }))]),
    ),
  });
  return Object.defineProperty(everywhere, "name", { value: pass.name }); // reports name passes
}

function bodyOf({ nodes, inputs, outputs, controls }: Body): Body {
  return { nodes, inputs, outputs, controls };
}
