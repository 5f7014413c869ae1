import { InferenceError } from "@nearside/core";
import { expect, test, vi } from "vitest";
import type { Tape } from "./tape.ts";
import { Tapes } from "./tapes.ts";

/** A tape of so many bytes that does nothing but note that it was closed. */
function fakeTape(bytes: number) {
  const tape = { bytes, isClosed: false, close: () => void Object.assign(tape, { isClosed: true }) };
  return tape as unknown as Tape & { isClosed: boolean }; // as much of it as the collection uses
}

const right = async () => true;

async function keep(tapes: Tapes, kind: string, tape: Tape): Promise<void> {
  for (let run = 0; run < 2; run++) await tapes.learn(kind, () => tape, right);
}

test("a kind of run is recorded when it comes a second time, and once", async () => {
  const tapes = new Tapes();
  const record = vi.fn(() => fakeTape(1));
  for (let run = 0; run < 4; run++) await tapes.learn("a", record, right);
  expect(record).toHaveBeenCalledTimes(1);
  expect(tapes.find("a")).toBeDefined();
  expect(tapes.find("b")).toBeUndefined();
});

test("a kind of run that is expected is recorded the first time", async () => {
  const tapes = new Tapes();
  tapes.expect("a");
  await tapes.learn("a", () => fakeTape(1), right);
  expect(tapes.find("a")).toBeDefined();
});

test("a tape that computes something else is closed, and such runs are not recorded again", async () => {
  const tapes = new Tapes();
  const tape = fakeTape(1);
  const record = vi.fn(() => tape);
  for (let run = 0; run < 4; run++) await tapes.learn("a", record, async () => false);
  expect(record).toHaveBeenCalledTimes(1);
  expect(tapes.find("a")).toBeUndefined();
  expect(tape.isClosed).toBe(true);
});

test("runs that can't be recorded are tried once", async () => {
  const tapes = new Tapes();
  const record = vi.fn(() => {
    throw new InferenceError("unsupported", "a tensor is read back");
  });
  for (let run = 0; run < 4; run++) await tapes.learn("a", record, right);
  expect(record).toHaveBeenCalledTimes(1);
});

test("the least recently used tape goes when they hold too much memory", async () => {
  const tapes = new Tapes({ maxBytes: 100 });
  const [a, b, c] = [fakeTape(40), fakeTape(40), fakeTape(40)] as const;
  await keep(tapes, "a", a);
  await keep(tapes, "b", b);
  expect(tapes.find("a")).toBe(a); // used after b
  await keep(tapes, "c", c);
  expect([a, b, c].map(({ isClosed }) => isClosed)).toEqual([false, true, false]);
  expect([tapes.find("a"), tapes.find("b"), tapes.find("c")]).toEqual([a, undefined, c]);
});

test("a tape larger than all may be together is not kept", async () => {
  const tapes = new Tapes({ maxBytes: 100 });
  const tape = fakeTape(101);
  await keep(tapes, "a", tape);
  expect([tapes.find("a"), tape.isClosed]).toEqual([undefined, true]);
});

test("no more kinds of runs are remembered than asked for", async () => {
  const tapes = new Tapes({ maxEntries: 2 });
  const tape = fakeTape(1);
  await keep(tapes, "a", tape);
  await tapes.learn("b", () => fakeTape(1), right);
  await tapes.learn("c", () => fakeTape(1), right);
  expect([tapes.find("a"), tape.isClosed]).toEqual([undefined, true]);
});

test("closing frees all tapes, and one that was being checked", async () => {
  const tapes = new Tapes();
  const [kept, checked] = [fakeTape(1), fakeTape(1)] as const;
  await keep(tapes, "a", kept);
  tapes.expect("b");
  let decide: (isRight: boolean) => void = () => {};
  const learning = tapes.learn(
    "b",
    () => checked,
    () => new Promise((resolve) => (decide = resolve)),
  );
  tapes.close();
  decide(true);
  await learning;
  expect([kept.isClosed, checked.isClosed]).toEqual([true, true]);
});
