import { abortable } from "./abortable.ts";
import { RunState } from "./run-state.ts";
import type { ModelTypes, RunOptions, Session } from "./session.ts";
import type { StreamItems, StreamOptions, StreamStep } from "./stream.ts";
import { openSource } from "./stream-source.ts";

// What a session needs once it has a state, which comes with its first stream or state: one download, not three.
export { elsewherePlace } from "./rpc/elsewhere-place.ts";
export { plainPlace } from "./state-place.ts";

/** See `Session.stream`. */
export async function* streamRuns<M extends ModelTypes, T>(
  session: Session<M>,
  items: StreamItems<T>,
  { inputs = asInputs, state, policy = "every", onSkip = () => {}, outputs, signal }: StreamOptions<M, T>,
): AsyncGenerator<StreamStep<M, T>, void> {
  const hasVariables = session.keepsState && session.location === "local"; // on a server all clients share them
  const given = state instanceof RunState ? state : undefined;
  const own = given || !(state || hasVariables) ? undefined : new RunState({ ...(state as object) }); // names, or none
  const kept = given ?? own;
  const options: RunOptions = { ...(kept && { state: kept }), ...(outputs && { outputs }), ...(signal && { signal }) };
  const source = openSource(items, policy, onSkip);
  let taking: ReturnType<typeof source.take> | undefined;
  try {
    for (;;) {
      signal?.throwIfAborted();
      taking = source.take();
      const taken = await abortable(taking, signal);
      taking = undefined;
      if (!taken) return;
      const { item, skipped } = taken;
      const given = await abortable(Promise.resolve(inputs(item)), signal);
      const results = await session.run(given, options);
      yield { item, outputs: results, skipped };
    }
  } finally {
    const late = (item: T) => onSkip(item);
    taking?.then((taken) => taken && late(taken.item)).catch(() => {}); // the stream ended with another error before
    source.close();
    await own?.release();
  }
}

function asInputs(item: unknown): never {
  return item as never; // whoever gives no `inputs` has items that are
}
