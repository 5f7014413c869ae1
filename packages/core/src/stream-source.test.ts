import { expect, test } from "vitest";
import { openSource } from "./stream-source.ts";

/** A source that a test gives items to, and whether it was ended. */
function pushed<T>() {
  const waiting: ((result: IteratorResult<T, undefined>) => void)[] = [];
  const record = { asked: 0, isEnded: false };
  const give = (result: IteratorResult<T, undefined>) => waiting.shift()?.(result);
  const items: AsyncIterable<T> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        record.asked++;
        return new Promise<IteratorResult<T, undefined>>((resolve) => waiting.push(resolve));
      },
      return: async () => {
        record.isEnded = true;
        return { done: true, value: undefined };
      },
    }),
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve)); // until all that can go on has
  return {
    items,
    record,
    push: async (value: T) => {
      give({ done: false, value });
      await settle();
    },
    end: async () => {
      give({ done: true, value: undefined });
      await settle();
    },
  };
}

test("every asks for an item when it is taken, not before", async () => {
  const { items, record, push, end } = pushed<number>();
  const source = openSource(items, "every", () => {});
  expect(record.asked).toBe(0);
  for (const item of [1, 2]) {
    const taken = source.take();
    await push(item);
    expect(await taken).toEqual({ item, skipped: 0 });
  }
  expect(record.asked).toBe(2);
  const last = source.take();
  await end();
  expect(await last).toBeUndefined();
});

test("latest gives the newest item, and hands those it overtook to onSkip", async () => {
  const { items, push, end } = pushed<number>();
  const skipped: number[] = [];
  const source = openSource(items, "latest", (item) => skipped.push(item));
  const first = source.take();
  for (const item of [1, 2, 3, 4]) await push(item);
  expect(await first).toEqual({ item: 1, skipped: 0 });
  expect(await source.take()).toEqual({ item: 4, skipped: 2 });
  expect(skipped).toEqual([2, 3]);
  await push(5);
  await end();
  expect(await source.take()).toEqual({ item: 5, skipped: 0 });
  expect(await source.take()).toBeUndefined();
});

test("latest that is closed ends its source, and hands on what nobody took", async () => {
  const { items, record, push } = pushed<number>();
  const skipped: number[] = [];
  const source = openSource(items, "latest", (item) => skipped.push(item));
  await push(1);
  await push(2);
  source.close();
  await push(3); // it was on its way
  expect(skipped).toEqual([1, 2, 3]);
  expect(record.isEnded).toBe(true);
  expect(await source.take()).toBeUndefined();
});

test("latest rejects with its source's error, once what came before is taken", async () => {
  async function* failing() {
    yield 1;
    throw new Error("no camera");
  }
  const source = openSource(failing(), "latest", () => {});
  expect(await source.take()).toEqual({ item: 1, skipped: 0 });
  await expect(source.take()).rejects.toThrow("no camera");
});

test.each(["every", "latest"] as const)("%s doesn't end what ended or failed by itself", async (policy) => {
  for (const last of [() => Promise.resolve({ done: true }), () => Promise.reject(new Error("no camera"))]) {
    let isCancelled = false;
    const cancel = async () => {
      isCancelled = true;
    };
    const source = openSource<number>({ getReader: () => ({ read: last, cancel }) }, policy, () => {});
    await source.take().catch(() => {});
    source.close();
    expect(isCancelled).toBe(false);
  }
});

test("a ReadableStream is read by its reader, and cancelled", async () => {
  let reason: unknown = "nothing";
  const stream = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(7),
    cancel: (given) => {
      reason = given;
    },
  });
  const source = openSource(stream, "every", () => {});
  expect(await source.take()).toEqual({ item: 7, skipped: 0 });
  source.close();
  expect(reason).toBeUndefined();
});
