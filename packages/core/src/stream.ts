import type { RunState, StateNames } from "./run-state.ts";
import type { InputsOf, ModelTypes, RunOptions, Session } from "./session.ts";

/** Where the items of a stream come from: anything that can be iterated, or a `ReadableStream`. */
export type StreamItems<T> = AsyncIterable<T> | Iterable<T> | ReadableItems<T>;

/** A `ReadableStream`, as far as it is needed: not every browser can iterate over one. */
export interface ReadableItems<T> {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: T | undefined }>;
    cancel(): Promise<void>;
  };
}

export interface StreamOptions<M extends ModelTypes, T> extends Pick<RunOptions, "outputs" | "signal"> {
  /** Makes of an item that is to be run the inputs that the state doesn't give; by default it is them. */
  readonly inputs?: (item: T) => Partial<InputsOf<M>> | Promise<Partial<InputsOf<M>>>;
  /**
   * The inputs that are what outputs of the run before were, `{ hIn: "hOut" }`: zeros at first. Or a `RunState`, which
   * begins with other values, or goes on where another stream ended. A model that changes its variables has, in a stream
   * on this device, variables of the stream's own.
   */
  readonly state?: StateNames | RunState;
  /**
   * `every` item is run (default): the next one is asked for when the one before was run, and whoever reads the stream
   * has read what came of it. Or only the `latest`: the source is read as fast as it comes, and what is overtaken is
   * skipped; for sources that come by themselves, as a camera.
   */
  readonly policy?: "every" | "latest";
  /** Given each item that is not run, say, to close a `VideoFrame`. */
  readonly onSkip?: (item: T) => void;
}

/** What came of an item. */
export interface StreamStep<M extends ModelTypes, T> {
  readonly item: T;
  readonly outputs: M["outputs"];
  /** How many items before this one were skipped. */
  readonly skipped: number;
}

/** A session's `stream`: the code comes when it is first used. */
export async function* stream<M extends ModelTypes, T>(
  session: Session<M>,
  items: StreamItems<T>,
  options: StreamOptions<M, T> = {},
): AsyncGenerator<StreamStep<M, T>, void> {
  const { streamRuns } = await import("./stream-runs.ts");
  yield* streamRuns(session, items, options);
}
