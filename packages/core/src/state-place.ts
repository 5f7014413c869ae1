import { InferenceError } from "./errors.ts";
import type { RunInputs } from "./image-input.ts";
import type { StateNames } from "./run-state.ts";
import type { RunOptions, Session } from "./session.ts";
import type { Signature } from "./signature.ts";
import type { Tensor, Tensors } from "./tensor.ts";

/** Where runs with a state are computed: the session that does it itself, not one of those around it. */
export interface StatePlace {
  readonly signature: Signature;
  /**
   * Holds these values, in the order of the names. Where there are more, they are those of the model's variables, which
   * otherwise hold what they were saved with.
   */
  hold(names: StateNames, values: readonly Tensor[]): Promise<HeldState>;
}

/** The newest values of a state, at a place. */
export interface HeldState {
  /** Whether reading them costs nothing. */
  readonly isHere: boolean;
  /** Runs on them and on these inputs, and holds what they become. One that fails changes nothing that was held. */
  run(inputs: RunInputs, options: RunOptions & { readonly outputs: readonly string[] }): Promise<Tensors>;
  read(): Promise<readonly Tensor[]>;
  /** Frees them, after the runs in flight. Never rejects. */
  release(): Promise<void>;
}

/**
 * A place in front of a session whose device is out of reach: it holds the values here, gives them to each run like any
 * other inputs, and takes them from its outputs.
 */
export function plainPlace(session: Pick<Session, "model" | "signature" | "keepsState" | "run">): StatePlace {
  return {
    get signature() {
      return session.signature;
    },
    async hold(names, initial) {
      if (session.keepsState) {
        const message = `session "${session.model}": its variables are shared by all who run it there, so no run can have its own`;
        throw new InferenceError("unsupported", `${message}; run it without a state, or open it here`);
      }
      let values = initial;
      return {
        isHere: true,
        async run(inputs, { outputs, signal, priority = 0 }) {
          const given = Object.fromEntries(Object.keys(names).map((name, index) => [name, values[index] as Tensor]));
          const all = [...new Set([...outputs, ...Object.values(names)])];
          const results = await session.run(
            { ...inputs, ...given },
            { outputs: all, priority, ...(signal && { signal }) },
          );
          values = Object.values(names).map((name) => results[name] as Tensor); // asked for
          return Object.fromEntries(outputs.map((name) => [name, results[name] as Tensor])); // as well
        },
        read: async () => values,
        release: async () => {},
      };
    },
  };
}
