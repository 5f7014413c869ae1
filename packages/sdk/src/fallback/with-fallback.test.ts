import {
  abortable,
  InferenceError,
  type RunOptions,
  type Session,
  type SessionEvent,
  stream,
  type Tensors,
} from "@nearside/core";
import { type GoldenRun, sessionSuite } from "@nearside/core/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { type FallbackOptions, withFallback } from "./with-fallback.ts";

const x = { dtype: "float32", shape: [1], data: Float32Array.of(2) } as const;
const spec = { dtype: "float32", shape: [1] } as const;
const golden: GoldenRun = { inputs: { x }, outputs: { y: x } };

/** What a side does with a run: echo it, fail, or wait for what the test decides. */
type Answer = (options: RunOptions) => Promise<void>;
const echo: Answer = async () => {};
const away: Answer = () => Promise.reject(new InferenceError("unavailable", "away"));

/** A session that answers as `next` says, and counts its runs. */
class FakeSession implements Session {
  readonly model = "fake";
  readonly signature = { inputs: { x: spec }, outputs: { y: spec } };
  readonly backend = "wasm";
  readonly location: Session["location"];
  readonly keepsState: boolean;
  next: Answer = echo;
  runs = 0;
  isClosed = false;

  constructor(location: Session["location"], keepsState = false) {
    this.location = location;
    this.keepsState = keepsState;
  }

  async run({ x }: Tensors, options: RunOptions = {}): Promise<Tensors> {
    options.signal?.throwIfAborted();
    this.runs++;
    await abortable(this.next(options), options.signal);
    return { y: x } as Tensors;
  }

  stream: Session["stream"] = (items, options) => stream(this, items, options);
  memory = () =>
    this.location === "local"
      ? Promise.resolve({ deviceBytes: 1, tensors: 1 })
      : Promise.reject(new InferenceError("unsupported", "a server"));
  close = async () => {
    this.isClosed = true;
  };
  [Symbol.asyncDispose] = () => this.close();
}

let near: FakeSession;
let far: FakeSession;
let events: SessionEvent[];
let nowMs: number;
/** Ends the waits for the budget. */
let useUpBudget: () => void;
let options: FallbackOptions;
beforeEach(() => {
  near = new FakeSession("local");
  far = new FakeSession("server");
  events = [];
  nowMs = 0;
  const waits = new Set<() => void>();
  useUpBudget = () => {
    for (const end of waits) end();
  };
  options = {
    onEvent: (event) => void events.push(event),
    now: () => nowMs,
    wait: (_ms, signal) =>
      new Promise((resolve, reject) => {
        waits.add(resolve);
        signal?.addEventListener("abort", () => {
          waits.delete(resolve);
          reject(signal.reason);
        });
      }),
  };
});
const open = (more: FallbackOptions = {}) => withFallback(near, far, { ...options, ...more });
const moves = () =>
  events.flatMap((event) => (event.type === "moved" ? [`${event.location}: ${event.error?.message}`] : []));

describe("withFallback", () => {
  test("runs near, and leaves the far side alone", async () => {
    const session = await withFallback(near, () => Promise.reject(new Error("it was opened")), options);
    expect(await session.run({ x })).toEqual({ y: x });
    expect(session.location).toBe("local");
  });

  test("runs on the far side what fails near, says so, and returns when that works again", async () => {
    const session = await open();
    near.next = () => Promise.reject(new InferenceError("device-lost", "gone"));
    expect(await session.run({ x })).toEqual({ y: x });
    expect(session.location).toBe("server");
    await session.run({ x });
    expect([near.runs, far.runs]).toEqual([1, 2]); // it is left alone
    near.next = echo;
    nowMs = 1000;
    await session.run({ x });
    expect([near.runs, far.runs]).toEqual([2, 2]);
    expect(session.location).toBe("local");
    expect(moves()).toEqual(["server: gone", "local: undefined"]);
  });

  test("is tried by one run alone where it failed before", async () => {
    const session = await open();
    near.next = away;
    await session.run({ x });
    nowMs = 1000;
    let answer = () => {};
    near.next = () => new Promise((resolve) => (answer = resolve));
    const probe = session.run({ x });
    await expect.poll(() => near.runs).toBe(2);
    await session.run({ x });
    expect([near.runs, far.runs]).toEqual([2, 2]);
    answer();
    await probe;
    expect(session.location).toBe("local");
  });

  test("goes back near when the far side is down, and does what the far side asks for", async () => {
    const session = await open();
    near.next = away;
    await session.run({ x });
    far.next = () => Promise.reject(new InferenceError("unavailable", "busy", { retryAfterMs: 60_000 }));
    near.next = echo;
    await session.run({ x });
    expect(session.location).toBe("local");
    near.next = away;
    nowMs = 59_000;
    await expect(session.run({ x })).rejects.toMatchObject({ message: "away; and: busy" });
    expect(far.runs).toBe(2);
    nowMs = 60_000;
    far.next = echo;
    await session.run({ x });
    expect(far.runs).toBe(3);
  });

  test("begins on the other side what takes too long, and gives the first result", async () => {
    const session = await open({ latencyBudgetMs: 50 });
    let aborted = 0;
    near.next = ({ signal }) =>
      new Promise(() => {
        signal?.addEventListener("abort", () => aborted++);
        queueMicrotask(useUpBudget);
      });
    for (let run = 0; run < 3; run++) expect(await session.run({ x })).toEqual({ y: x });
    expect([near.runs, far.runs, aborted]).toEqual([3, 3, 3]);
    await session.run({ x });
    expect(near.runs).toBe(3); // it was too slow three times
    expect(moves()).toEqual(["server: a run took more than 50 ms, 1 in a row"]);
    near.next = echo;
    nowMs = 1000;
    await session.run({ x });
    expect(session.location).toBe("local");
  });

  test("waits for a slow side where the other one is away", async () => {
    const session = await open({ latencyBudgetMs: 50 });
    far.next = away;
    let answer = () => {};
    near.next = () => {
      queueMicrotask(useUpBudget);
      return new Promise((resolve) => (answer = resolve));
    };
    const run = session.run({ x });
    await expect.poll(() => far.runs).toBe(1);
    answer();
    expect(await run).toEqual({ y: x });
    expect(session.location).toBe("local");
  });

  test("leaves a fault of the inputs to the caller", async () => {
    const session = await open();
    near.next = () => Promise.reject(new InferenceError("invalid-argument", "too long"));
    await expect(session.run({ x })).rejects.toMatchObject({ message: "too long" });
    expect(far.runs).toBe(0);
  });

  test("can't run again on inputs that were handed over", async () => {
    const session = await open();
    near.next = away;
    await expect(session.run({ x }, { transfer: true })).rejects.toMatchObject({ message: "away" });
    expect(far.runs).toBe(0);
  });

  test("never leaves the side that keeps a model's state", async () => {
    near = new FakeSession("local", true);
    const session = await open();
    near.next = away;
    await expect(session.run({ x })).rejects.toMatchObject({ message: "away" });
    expect(far.runs).toBe(0);
  });

  test("opens the far side where the near one can't be opened, and the near one when that is away", async () => {
    let isThere = false;
    const openNear = async () => {
      if (isThere) return near;
      throw new InferenceError("no-backend", "no backend");
    };
    const session = await withFallback(openNear, far, options);
    expect(session.location).toBe("server");
    expect(events).toEqual([expect.objectContaining({ type: "refused" })]);
    isThere = true;
    far.next = away;
    await session.run({ x });
    expect(session.location).toBe("local");
  });

  test("says what both sides said where neither can be opened", async () => {
    const refuse = (message: string) => () => Promise.reject(new InferenceError("unavailable", message));
    const opening = withFallback(refuse("no backend"), refuse("no server"), options);
    await expect(opening).rejects.toMatchObject({ message: "no backend; and: no server" });
  });

  test("takes no other model for a fallback", async () => {
    const other = Object.assign(new FakeSession("server"), { signature: { inputs: {}, outputs: {} } });
    const session = await withFallback<{ inputs: Tensors; outputs: Tensors }>(near, async () => other, options);
    near.next = away;
    await expect(session.run({ x })).rejects.toMatchObject({
      message: expect.stringMatching(/^away; and: .*serve the same model$/),
    });
    expect(other).toMatchObject({ runs: 0, isClosed: true });
  });

  test("rejects with the caller's reason in the middle of a run, and can be tried again", async () => {
    const session = await open();
    near.next = away;
    await session.run({ x });
    nowMs = 1000;
    near.next = ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    const controller = new AbortController();
    const run = session.run({ x }, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(run).rejects.toThrow("enough");
    near.next = echo;
    await session.run({ x });
    expect(session.location).toBe("local");
  });
});

describe.each(["working", "failing"])("with a near side that is %s, a session with a fallback", (how) => {
  const cases = sessionSuite.filter(({ name }) => !/refuses|still runs|finishes/.test(name)); // the fakes check nothing
  test.each(cases.map((suiteCase) => [suiteCase.name, suiteCase] as const))("%s", async (_name, suiteCase) => {
    if (how === "failing") near.next = away;
    await suiteCase.run(() => open(), golden);
  });
});
