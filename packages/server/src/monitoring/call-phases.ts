import { AsyncLocalStorage } from "node:async_hooks";
import type { Session, Tensors } from "@nearside/core";
import type { SessionPlace } from "../repository/load-version.ts";
import { withRun } from "../repository/with-run.ts";

/** What was done for a call from when until when, in the milliseconds of `performance.now()`. */
export interface Phase {
  /** `queue`: a run waited for its batch. `run`: it ran, or the batch that it was in. */
  readonly name: "queue" | "run";
  readonly sinceMs: number;
  readonly untilMs: number;
  /** What was run. */
  readonly place: SessionPlace;
  readonly backend: Session["backend"];
}

interface Recording {
  readonly phases: Phase[];
  /** When the batch of the run began that is being recorded. */
  begunMs?: number;
}

/** Records the phases of calls: what a session does is known to be for a call by the course of the program. */
export class CallPhases {
  readonly #current = new AsyncLocalStorage<Recording>();

  /** Does what answers a call, whose phases are added to `phases` meanwhile. */
  record(phases: Phase[], answer: () => void): void {
    this.#current.run({ phases }, answer);
  }

  /** A session whose runs are phases of the calls that they are for. */
  watch(session: Session, place: SessionPlace): Session {
    return withRun(session, (inputs, options) => {
      const call = this.#current.getStore();
      if (!call) return session.run(inputs, options);
      const run: Recording = { phases: call.phases }; // of its own, since a call may have several
      return this.#current.run(run, () => measure(run, session, place, () => session.run(inputs, options)));
    });
  }

  /** Notes when the batch begins of a run that joins a queue now; for batching's `onEnqueue`. */
  readonly onEnqueue = (): (() => void) | undefined => {
    const run = this.#current.getStore();
    if (!run) return undefined;
    return () => {
      run.begunMs = performance.now();
    };
  };
}

async function measure(
  run: Recording,
  { backend }: Session,
  place: SessionPlace,
  compute: () => Promise<Tensors>,
): Promise<Tensors> {
  const sinceMs = performance.now();
  try {
    return await compute();
  } finally {
    const what = { place, backend };
    const { begunMs = sinceMs } = run;
    if (run.begunMs !== undefined) run.phases.push({ name: "queue", sinceMs, untilMs: begunMs, ...what });
    run.phases.push({ name: "run", sinceMs: begunMs, untilMs: performance.now(), ...what });
  }
}
