import type { Shard, Signature } from "@nearside/core";
import type { BackendGaps } from "../backend-gaps.ts";
import type { PassStep } from "../passes/run-passes.ts";
import type { ChosenDTypes } from "../verification/choose-dtypes.ts";
import type { Verification } from "../verification/verify.ts";
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
  /** Those among them that only Nearside's runtime has. */
  readonly ownOps: readonly string[];
  /** The variables that each run changes, which a session keeps from run to run. TensorFlow.js alone doesn't. */
  readonly state: readonly string[];
  /** The int64 inputs that may be beyond int32, since all that is done with them is to look them up in tables. */
  readonly decimalInputs: readonly string[];
  /** True if TensorFlow.js alone can't run the model: it has ops of our own, int8 weights, or such inputs. */
  readonly needsOwnRuntime: boolean;
  /** What of the written ops each backend of a browser can't run. */
  readonly gaps: BackendGaps;
  /** The nodes that might have been part of a fused op and are not, and why. */
  readonly unfused: readonly Unfused[];
  /** The variables that the signature reads, as they are in the checkpoint; of a graph model, its weights. */
  readonly variables: VariableCount;
  readonly shards: readonly Shard[];
  readonly weightBytes: number;
  /** What an automatic quantisation chose, where one was asked for. */
  readonly chosenDTypes?: ChosenDTypes;
  /** How far the outputs are off, where that was asked for. */
  readonly verification?: Verification;
  /** What a person should know: each a sentence about something that may not be as intended. */
  readonly notices: readonly string[];
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
