import type { Shard, Signature } from "@nearside/core";
import type { ChosenDTypes } from "../verification/choose-dtypes.ts";
import type { Verification } from "../verification/verify.ts";

/** What a conversion did. */
export interface ConversionReport {
  readonly signatureName: string;
  readonly signature: Signature;
  /** The version of TensorFlow that wrote the SavedModel. */
  readonly tensorflowVersion: string;
  /** Nodes of the signature's graph and the functions it calls, and nodes that were written. */
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** How often each op occurs in what was written, constants aside. */
  readonly ops: Readonly<Record<string, number>>;
  /** Those among them that only Nearside's runtime has. */
  readonly ownOps: readonly string[];
  /** True if TensorFlow.js alone can't run the model: it has ops of our own, or int8 weights. */
  readonly needsOwnRuntime: boolean;
  readonly shards: readonly Shard[];
  readonly weightBytes: number;
  /** What an automatic quantisation chose, where one was asked for. */
  readonly chosenDTypes?: ChosenDTypes;
  /** How far the outputs are off, where that was asked for. */
  readonly verification?: Verification;
  /** What a person should know: each a sentence about something that may not be as intended. */
  readonly notices: readonly string[];
}
