import type { StreamItems, StreamOptions } from "./stream.ts";

/** An item that was taken from a source, and how many before it were not. */
export interface TakenItem<T> {
  readonly item: T;
  readonly skipped: number;
}

/** What a stream takes its items from. */
export interface StreamSource<T> {
  /** The next item; undefined when there is none any more. Rejects as what it is made of does. */
  take(): Promise<TakenItem<T> | undefined>;
  /** To be called once; then what it is made of is ended, and a call that waits is answered. */
  close(): void;
}

interface Items<T> {
  next(): Promise<IteratorResult<T, unknown>> | IteratorResult<T, unknown>;
  return?(): unknown;
}

/** A source by one of the policies of `StreamOptions`; `onSkip` is given each item that nobody takes. */
export function openSource<T>(
  items: StreamItems<T>,
  policy: NonNullable<StreamOptions<never, T>["policy"]>,
  onSkip: (item: T) => void,
): StreamSource<T> {
  const source = untilItEnds(iterate(items));
  return policy === "latest" ? latestOf(source, onSkip) : everyOf(source);
}

/** What ended or failed by itself isn't ended again: a stream that failed would say so once more, with nobody to hear. */
function untilItEnds<T>(items: Items<T>): Items<T> {
  let hasMore = true;
  return {
    async next() {
      let isItem = false;
      try {
        const result = await items.next();
        isItem = !result.done;
        return result;
      } finally {
        hasMore &&= isItem;
      }
    },
    return: () => hasMore && items.return?.(),
  };
}

function iterate<T>(items: StreamItems<T>): Items<T> {
  if ("getReader" in items) {
    const reader = items.getReader();
    return { next: () => reader.read() as Promise<IteratorResult<T>>, return: () => reader.cancel() };
  }
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}

function everyOf<T>(items: Items<T>): StreamSource<T> {
  return {
    async take() {
      const { done, value } = await items.next();
      return done ? undefined : { item: value, skipped: 0 };
    },
    close: () => void items.return?.(),
  };
}

/** Reads all the time, and keeps the newest. */
function latestOf<T>(items: Items<T>, onSkip: (item: T) => void): StreamSource<T> {
  let newest: TakenItem<T> | undefined;
  let isOver = false;
  let wake = () => {};
  const read = async () => {
    while (!isOver) {
      const { done, value } = await items.next();
      if (done) return;
      if (isOver) return onSkip(value);
      if (newest) onSkip(newest.item);
      newest = { item: value, skipped: newest ? newest.skipped + 1 : 0 };
      wake();
    }
  };
  const reading = read().finally(() => {
    isOver = true;
    wake();
  });
  reading.catch(() => {}); // whoever takes the next item hears of it
  return {
    async take() {
      if (!newest && !isOver) await new Promise<void>((resolve) => (wake = resolve));
      const taken = newest;
      newest = undefined;
      if (!taken) await reading;
      return taken;
    },
    close() {
      if (newest) onSkip(newest.item);
      newest = undefined;
      isOver = true;
      wake();
      void items.return?.();
    },
  };
}
