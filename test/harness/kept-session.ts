import type { RunOptions, Session, SessionEvent, SessionMemory } from "nearside";
import { fromPlainTensors, type PlainTensors, toPlainTensors } from "../plain-tensors.ts";
import { type Outcome, openTarget, settle, type Target } from "./target.ts";

/** What a test asks of the session that the page keeps open for it. */
export interface KeptReport {
  readonly backend: string;
  readonly location: string;
  readonly events: readonly string[];
}

let kept: Session | undefined;
let events: SessionEvent[] = [];
const workers: Worker[] = [];

// Every worker that the SDK starts, so that a test can end one behind its back.
globalThis.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    workers.push(this);
  }
};

function session(): Session {
  if (kept) return kept;
  throw new Error("no session is kept; call keep first");
}

/** Calls about one session that stays open from call to call. */
export const keptSessionCalls = {
  keep: (target: Target) =>
    settle(
      (async () => {
        events = [];
        kept = await openTarget(target, { onEvent: (event) => events.push(event) });
        return null;
      })(),
    ),

  /** Starts a run, ends the session's worker if so asked, and waits for the run. */
  runKept: (
    inputs: PlainTensors,
    { endWorker = false, ...options }: RunOptions & { endWorker?: boolean } = {},
  ): Promise<Outcome<PlainTensors>> => {
    const run = session().run(fromPlainTensors(inputs), options).then(toPlainTensors);
    if (endWorker) workers.at(-1)?.terminate();
    return settle(run);
  },

  endWorker: () => workers.at(-1)?.terminate(),

  memoryOfKept: (): Promise<SessionMemory> => session().memory(),

  tellOfKept: (): KeptReport => ({
    backend: session().backend,
    location: session().location,
    events: events.map((event) => (event.type === "refused" ? event.type : `${event.type} ${event.backend}`)),
  }),

  closeKept: () => session().close(),
};
