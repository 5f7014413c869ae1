import type { Backend, Shard, Signature } from "@nearside/core";
import type { BackendGaps } from "../backend-gaps.ts";
import type { PassStep } from "../passes/run-passes.ts";
import type { VariableCount } from "./count-variables.ts";
import type { WeightDescription } from "./describe-weights.ts";
import type { Unfused } from "./explain-unfused.ts";
import type { FusedNode } from "./list-fused.ts";
import type { GraphOutline } from "./outline-graph.ts";

/** What a conversion did. */
export interface ConversionReport {
  readonly signatureName: string;
  readonly signature: Signature;
  /** The version of TensorFlow that wrote the SavedModel. */
  readonly tensorflowVersion: string;
  /** Nodes of the signature's graph and the functions it calls, and nodes that were written. */
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** How often each op occurred in that graph, and occurs in what was written; constants aside. */
  readonly opsBefore: Readonly<Record<string, number>>;
  readonly ops: Readonly<Record<string, number>>;
  /** Those among them that only Nearside's runtime has; TensorFlow.js alone can't run the model unless this is empty. */
  readonly ownOps: readonly string[];
  /** What of the written ops each backend of a browser can't run. */
  readonly gaps: BackendGaps;
  /** The nodes that might have been part of a fused op and are not, and why. */
  readonly unfused: readonly Unfused[];
  /** The variables that the signature reads, as they are in the checkpoint; of a graph model, its weights. */
  readonly variables: VariableCount;
  readonly shards: readonly Shard[];
  readonly weightBytes: number;
  /** What a person should know: each a sentence about something that may not be as intended. */
  readonly notices: readonly string[];
  /** How far the written model's outputs are from the saved one's, if that was asked for. */
  readonly verification?: Verification;
  readonly details: ConversionDetails;
}

/** What a page about a conversion shows besides, which grows with the model. */
export interface ConversionDetails {
  readonly steps: readonly PassStep[];
  readonly fused: readonly FusedNode[];
  readonly weights: readonly WeightDescription[];
  /** The graph that was written, then each of its functions. */
  readonly graphs: readonly GraphOutline[];
}

/** How far a written model's outputs are off, over some runs. */
export interface Verification {
  readonly inputs: "random" | "golden";
  readonly runs: number;
  readonly backend: Backend;
  /** Each output beside that of the saved graph, on the same backend. */
  readonly source: Readonly<Record<string, OutputError>>;
  /** Each output beside the golden one, where such were given. */
  readonly golden?: Readonly<Record<string, OutputError>>;
  /** Outputs that differ from run to run: only their dtypes and shapes mean something. */
  readonly randomOutputs: readonly string[];
  /** True if an output is off by more than it may. */
  readonly isOff: boolean;
}

/** How far an output is off: `relative` is the error's size as a share of the output's own. */
export interface OutputError {
  readonly maxAbsolute: number;
  readonly meanAbsolute: number;
  readonly maxRelative: number;
  readonly relative: number;
  /** What isn't as it should be besides the values. */
  readonly problem?: string;
}
