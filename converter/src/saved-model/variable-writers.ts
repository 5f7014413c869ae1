import { InferenceError } from "@nearside/core";
import { allNodes } from "../graph/all-nodes.ts";
import type { Graph } from "../graph/graph.ts";
import { handlesAmong, usesIn } from "../graph/handles.ts";
import { isWrite, variableName, variableOps } from "../graph/variable-access.ts";
import { inlineFunctions } from "../passes/inline-functions.ts";
import { prune } from "../passes/prune.ts";
import type { Proto } from "./messages.ts";
import { isInternal, signatureGraph } from "./signature-graph.ts";

type Signature = Proto<"SignatureDef">;

/** Which signatures besides `chosen` write to each variable, by the variable's name; `read` decodes what one needs. */
export function variableWriters(
  read: (signature: Signature | undefined) => Graph,
  signatures: ReadonlyMap<string, Signature>,
  chosen: string,
): ReadonlyMap<string, readonly string[]> {
  const writers = new Map<string, string[]>();
  for (const signature of [...signatures.keys()].sort()) {
    if (signature === chosen || isInternal(signature)) continue;
    for (const variable of changedVariables(read(signatures.get(signature)), signatures, signature)) {
      writers.set(variable, [...(writers.get(variable) ?? []), signature]);
    }
  }
  return writers;
}

function changedVariables(
  main: Graph,
  signatures: ReadonlyMap<string, Signature>,
  signature: string,
): readonly string[] {
  try {
    const graph = prune(signatureGraph(main, signatures, signature));
    // Most signatures change nothing, which is told fast.
    if (!allNodes(graph).some((node) => isWrite(node) || /^Resource(Apply|Scatter)/.test(node.op))) return [];
    const inlined = inlineFunctions(graph);
    const variables = [...inlined.nodes.values()].filter(({ op }) => variableOps.has(op));
    const handles = handlesAmong(inlined, new Map(variables.map((node) => [node.name, variableName(node)])));
    return [...usesIn(inlined, handles)].filter(([, use]) => use !== "read").map(([variable]) => variable);
  } catch (error) {
    // A signature that can't be converted says so when it is asked for.
    if (error instanceof InferenceError) return [];
    throw error;
  }
}
