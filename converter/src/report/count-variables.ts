import { elementCount } from "@nearside/core";
import { dataTypes } from "../graph/data-type.ts";
import type { Graph } from "../graph/graph.ts";
import { prune } from "../passes/prune.ts";

/** How many values lie in the checkpoint, and their bytes there. */
export interface VariableCount {
  readonly count: number;
  readonly bytes: number;
}

/** The variables that a signature's graph reads. */
export function countVariables(graph: Graph): VariableCount {
  const values = [...prune(graph).nodes.values()].flatMap(({ op, value }) =>
    op !== "Const" && value?.kind === "stored" ? [value] : [],
  );
  // A variable that the signature takes twice is one value.
  const distinct = new Map(values.map((value) => [JSON.stringify([value.key, value.slice]), value]));
  const bytes = [...distinct.values()].reduce(
    (sum, { dtype, shape }) => sum + elementCount(shape) * (dataTypes[dtype].bytes ?? 0),
    0,
  );
  return { count: distinct.size, bytes };
}
