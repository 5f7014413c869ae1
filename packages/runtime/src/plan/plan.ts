import type { Running } from "./run-plan.ts";
import type { Value } from "./value.ts";

/** One node of a graph, ready to run. Its inputs and outputs lie in the slots of a run. */
export interface Step {
  /** The node's name and op, for errors. */
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly number[];
  /** Slots of its outputs; −1 for one that nothing takes. */
  readonly outputs: readonly number[];
  /** Slots of nodes that must be alive for this one to be. */
  readonly controls: readonly number[];
  /** Slots that nothing takes after this step. */
  readonly frees: readonly number[];
  /** Borrows its inputs and gives away its outputs. */
  run(
    inputs: readonly Value[],
  ): Value | readonly Value[] | Promise<Value | readonly Value[]> | Running<readonly Value[]>;
}

/** A graph, or a function of one, as a list of steps. */
export interface Plan {
  /** The slots as they are when a run begins: constants, and holes. */
  readonly slots: readonly (Value | undefined)[];
  /** Slots of the inputs, in the order in which they are given. */
  readonly inputs: readonly number[];
  readonly steps: readonly Step[];
  readonly outputs: readonly number[];
  /** Whether branches may be left out: then a step runs only if all that it takes is alive. */
  readonly hasBranches: boolean;
}
