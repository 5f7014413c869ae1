import type { Shard, Signature } from "@nearside/core";

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
  /** Those among them that only Nearside's runtime has; TensorFlow.js alone can't run the model unless this is empty. */
  readonly ownOps: readonly string[];
  /** The variables that each run changes, which a session keeps from run to run. TensorFlow.js alone doesn't. */
  readonly state: readonly string[];
  readonly shards: readonly Shard[];
  readonly weightBytes: number;
  /** What a person should know: each a sentence about something that may not be as intended. */
  readonly notices: readonly string[];
}
