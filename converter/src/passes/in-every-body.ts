import type { Body, Pass } from "../graph/graph.ts";
import { mappedValues } from "../graph/mapped.ts";

/** Does a pass on the graph and on each of its functions. The pass itself must leave the functions alone. */
export function inEveryBody(pass: Pass): Pass {
  const everywhere: Pass = (graph) => {
    const functions = mappedValues(graph.functions, (body) => {
      const before = { ...body, functions: graph.functions };
      const after = pass(before);
      return after === before ? body : bodyOf(after);
    });
    const main = pass(graph);
    return functions === graph.functions ? main : { ...main, functions };
  };
  return Object.defineProperty(everywhere, "name", { value: pass.name }); // reports name passes
}

function bodyOf({ nodes, inputs, outputs, controls }: Body): Body {
  return { nodes, inputs, outputs, controls };
}
