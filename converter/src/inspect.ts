import { dtypeFromTensorFlow, InferenceError } from "@nearside/core";
import { type BackendGaps, backendGaps } from "./backend-gaps.ts";
import type { FileSource } from "./files.ts";
import { allNodes } from "./graph/all-nodes.ts";
import type { Port, Shape } from "./graph/graph.ts";
import { listWeights } from "./graph-model/weights.ts";
import { passes } from "./passes/index.ts";
import { findOpProblems, type OpProblem } from "./report/check-ops.ts";
import { checkPorts } from "./report/check-ports.ts";
import { countOps } from "./report/count-ops.ts";
import { countVariables } from "./report/count-variables.ts";
import { openSavedModel, type SignatureSource } from "./saved-model/saved-model.ts";

/** What is in a SavedModel: its graphs, by their tags. */
export interface ModelSummary {
  readonly graphs: readonly { readonly tags: readonly string[]; readonly signatures: readonly SignatureSummary[] }[];
}

/** An input or output: its dtype, under TensorFlow's name for it where no tensor can hold it, and its shape. */
export interface PortSummary {
  readonly dtype: string;
  readonly shape: Shape;
}

/** What a signature is and needs, and whether it can be converted. */
export interface SignatureSummary {
  readonly name: string;
  readonly inputs: Readonly<Record<string, PortSummary>>;
  readonly outputs: Readonly<Record<string, PortSummary>>;
  /** The variables that it reads, and their bytes in the checkpoint. */
  readonly variables: { readonly count: number; readonly bytes: number };
  /** How often each op occurs in what would be written, constants aside. */
  readonly ops: Readonly<Record<string, number>>;
  /** What of these ops each backend of a browser can't run. */
  readonly gaps: BackendGaps;
  /** The ops that TensorFlow.js can't run. */
  readonly problems: readonly OpProblem[];
  /** What else keeps the signature from being converted, or null. */
  readonly refusal: string | null;
}

/** Says what is in the SavedModel in `source`, converting nothing. Rejects as `convert` does for a damaged model. */
export async function inspect(source: FileSource): Promise<ModelSummary> {
  const graphs: ModelSummary["graphs"][number][] = [];
  const model = await openSavedModel(source);
  for (const { tags, signatures } of model.graphs) {
    const summaries: SignatureSummary[] = [];
    for (const signature of signatures) summaries.push(await inspectSignature(model, tags, signature));
    graphs.push({ tags, signatures: summaries });
  }
  return { graphs };
}

async function inspectSignature(
  model: SignatureSource,
  tags: readonly string[],
  name: string,
): Promise<SignatureSummary> {
  let summary: SignatureSummary = { ...nothing, name };
  try {
    const { graph } = await model.open(name, tags);
    const { inputs, outputs } = graph;
    summary = { ...summary, inputs: describe(inputs), outputs: describe(outputs), variables: countVariables(graph) };
    checkPorts(graph, `signature "${name}"`);
    const converted = passes.reduce((current, pass) => pass(current), graph);
    summary = {
      ...summary,
      ops: countOps(converted.nodes.values()),
      gaps: backendGaps(allNodes(converted)),
      problems: findOpProblems(converted),
    };
    if (summary.problems.length === 0) listWeights(converted); // for what it refuses
    return summary;
  } catch (error) {
    if (!(error instanceof InferenceError) || error.code !== "unsupported") throw error;
    return { ...summary, refusal: error.message };
  }
}

const nothing = {
  inputs: {},
  outputs: {},
  variables: { count: 0, bytes: 0 },
  ops: {},
  gaps: backendGaps([]),
  problems: [],
  refusal: null,
};

function describe(ports: readonly Port[]): Readonly<Record<string, PortSummary>> {
  return Object.fromEntries(
    ports.map(({ key, dtype, shape }) => [key, { dtype: dtypeFromTensorFlow(dtype) ?? dtype, shape }]),
  );
}
