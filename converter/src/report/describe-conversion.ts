import { backendGaps } from "../backend-gaps.ts";
import { allNodes } from "../graph/all-nodes.ts";
import type { Graph } from "../graph/graph.ts";
import { listOwnOps } from "../graph-model/own-ops.ts";
import type { Weight } from "../graph-model/weights.ts";
import { prune } from "../passes/prune.ts";
import type { PassesRun } from "../passes/run-passes.ts";
import type { ConversionReport } from "./conversion-report.ts";
import { countOps } from "./count-ops.ts";
import { countVariables } from "./count-variables.ts";
import { describeWeights } from "./describe-weights.ts";
import { explainUnfused } from "./explain-unfused.ts";
import { listFused } from "./list-fused.ts";
import { outlineGraph } from "./outline-graph.ts";

/** What of a report follows from the graphs. */
type Description = Pick<
  ConversionReport,
  "nodesBefore" | "nodesAfter" | "opsBefore" | "ops" | "ownOps" | "gaps" | "unfused" | "variables" | "details"
>;

/** What became of the saved graph `before`, through the passes, in the graph and the weights that were written. */
export function describeConversion(
  before: Graph,
  { graph, steps, firstOps }: PassesRun,
  weights: readonly Weight[],
): Description {
  const [saved, written] = [allNodes(prune(before)), allNodes(graph)];
  return {
    nodesBefore: saved.length,
    nodesAfter: written.length,
    opsBefore: countOps(saved),
    ops: countOps(written),
    ownOps: listOwnOps(written),
    gaps: backendGaps(written),
    unfused: explainUnfused(graph),
    variables: countVariables(before),
    details: {
      steps,
      fused: listFused(graph, firstOps),
      weights: describeWeights(weights),
      graphs: outlineGraph(graph),
    },
  };
}
