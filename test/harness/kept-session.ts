import type { RunOptions, Session, SessionEvent, SessionMemory } from "nearside";
import { fromPlainTensors, type PlainTensors, toPlainTensors } from "../plain-tensors.ts";
import { type Outcome, openTarget, settle, type Target } from "./target.ts";

/** What a test asks of the session that the page keeps open for it. */
export interface KeptReport {
  readonly backend: string;
  readonly location: string;
  readonly events: readonly string[];
}

const { signal } = new AbortController();
let kept: Session | undefined;
let events: SessionEvent[] = [];
let newestWorker: Worker | undefined;

/** The SDK's newest worker. */
export const workerOfKept = (): Worker | undefined => newestWorker;

// It is noted, so that a test can end it behind the SDK's back.
globalThis.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    newestWorker = this;
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
        const onEvent = (event: SessionEvent) => void events.push(event);
        kept = await openTarget(target, { onEvent, onProgress: () => {} });
        return null;
      })(),
    ),

  /** Starts a run, ends the session's worker if so asked, and waits for the run. */
  runKept: (
    inputs: PlainTensors,
    { endWorker = false, ...options }: RunOptions & { endWorker?: boolean } = {},
  ): Promise<Outcome<PlainTensors>> => {
    const run = session().run(fromPlainTensors(inputs), options).then(toPlainTensors);
    if (endWorker) newestWorker?.terminate();
    return settle(run);
  },

  /** Starts so many runs at once, and waits for them. */
  runKeptTogether: (inputs: PlainTensors, count: number): Promise<Outcome<readonly PlainTensors[]>> => {
    const tensors = fromPlainTensors(inputs);
    return settle(Promise.all(Array.from({ length: count }, () => session().run(tensors).then(toPlainTensors))));
  },

  /** Runs so often on the same inputs, with a signal that lives as long as the page. */
  repeatKept: async (plain: PlainTensors, count: number): Promise<void> => {
    const inputs = fromPlainTensors(plain);
    for (let run = 0; run < count; run++) await session().run(inputs, { signal });
  },

  endWorker: () => newestWorker?.terminate(),

  memoryOfKept: (): Promise<SessionMemory> => session().memory(),

  tellOfKept: (): KeptReport => ({
    backend: session().backend,
    location: session().location,
    events: events.map((event) => (event.type === "refused" ? event.type : `${event.type} ${event.backend}`)),
  }),

  closeKept: () => session().close(),
};
