import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  InferenceError,
  type RunOptions,
  type Session,
  type Signature,
  type Tensor,
  type Tensors,
} from "@nearside/core";
import { sessionSuite } from "@nearside/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeDoublingModel } from "../../testing/doubling-model.ts";
import { fakeSession } from "../../testing/fake-repository.ts";
import { openSession } from "../open-session.ts";
import type { BatchingEvent, BatchingOptions } from "./batching-options.ts";
import { withBatching } from "./with-batching.ts";

const signature: Signature = {
  inputs: { x: { dtype: "float32", shape: [null, null] } },
  outputs: { y: { dtype: "float32", shape: [null, null] } },
};
const hourMicros = 3_600_000_000;

/** Rows of two numbers. */
const rows = (...values: number[]) => {
  const data = Float32Array.from(values.flatMap((value) => [value, value]));
  return { x: { dtype: "float32", shape: [values.length, 2], data } } as const;
};
const doubled = (...values: number[]) => ({ y: rows(...values.map((value) => 2 * value)).x });

function double(inputs: Tensors): Tensors {
  const { shape, data } = inputs.x as Tensor<"float32">;
  return { y: { dtype: "float32", shape, data: data.map((value) => 2 * value) } };
}

/** A batching session over one made by hand, and the first dimensions and options of what that one was asked to run. */
function batching(options: BatchingOptions, run: (inputs: Tensors) => Tensors | Promise<Tensors> = double) {
  const asked: number[] = [];
  const given: RunOptions[] = [];
  const inner: Session = {
    ...fakeSession(signature, run),
    run: async (inputs, runOptions = {}) => {
      asked.push((inputs as Tensors).x?.shape[0] as number);
      given.push(runOptions);
      return run(inputs as Tensors);
    },
  };
  return { session: withBatching(inner, options), asked, given };
}

/** A batching session whose batches end when they are told to. */
function held(options: BatchingOptions, outcome: (inputs: Tensors) => Tensors = double) {
  const events = new EventEmitter();
  const made = batching(options, async (inputs) => {
    events.emit("started");
    await once(events, "go on");
    return outcome(inputs);
  });
  return { ...made, started: () => once(events, "started"), goOn: () => events.emit("go on") };
}

describe("withBatching over a session on wasm", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "nearside-batching-"));
    await writeDoublingModel(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));
  const golden = { inputs: rows(1, 3), outputs: doubled(1, 3) };

  describe.each([
    ["with its defaults", {}],
    ["with batches of fixed sizes", { maxBatchSize: 64, allowedBatchSizes: [5, 64] }],
    ["splitting runs", { maxBatchSize: 64, enableLargeBatchSplitting: true, maxExecutionBatchSize: 1 }],
    ["one run at a time", { maxBatchSize: 2 }],
  ])("%s", (_name, options: BatchingOptions) => {
    test.each(sessionSuite)("$name", async ({ run }) => {
      await run(async () => withBatching(await openSession(folder), options), golden);
    });
  });
});

describe("withBatching", () => {
  test("C1 runs a batch once it is full, and otherwise when the time is up", async () => {
    const { session, asked } = batching({ maxBatchSize: 4, batchTimeoutMicros: hourMicros });
    await Promise.all([session.run(rows(1, 2)), session.run(rows(3)), session.run(rows(4))]);
    expect(asked).toEqual([4]);
    const timed = batching({ maxBatchSize: 4, batchTimeoutMicros: 1000 });
    await Promise.all([timed.session.run(rows(1, 2)), timed.session.run(rows(3))]);
    expect(timed.asked).toEqual([3]);
  });

  test("C2 gives each run its own rows", async () => {
    const { session, asked } = batching({ maxBatchSize: 100 });
    const values = Array.from({ length: 50 }, (_, index) => index);
    const outputs = await Promise.all(values.map((value) => session.run(rows(value, -value))));
    expect(outputs).toEqual(values.map((value) => doubled(value, -value)));
    expect(asked).toEqual([100]);
  });

  test("C3 fills batches up to an allowed size, and hides the filling", async () => {
    const events: BatchingEvent[] = [];
    const options = {
      maxBatchSize: 8,
      allowedBatchSizes: [2, 4, 8],
      onEvent: (event: BatchingEvent) => events.push(event),
    };
    const { session, asked } = batching(options);
    const outputs = await Promise.all([session.run(rows(1)), session.run(rows(2, 3))]);
    expect(outputs).toEqual([doubled(1), doubled(2, 3)]);
    expect(asked).toEqual([4]);
    expect(events).toContainEqual({
      type: "batch",
      rows: 3,
      paddingRows: 1,
      queuedMs: [expect.any(Number), expect.any(Number)],
    });
  });

  test.each([
    [{ maxBatchSize: 0 }, "max_batch_size"],
    [{ batchTimeoutMicros: -1 }, "batch_timeout_micros"],
    [{ numBatchThreads: 0.5 }, "num_batch_threads"],
    [{ maxEnqueuedBatches: 0 }, "max_enqueued_batches"],
    [{ maxBatchSize: 4, allowedBatchSizes: [4, 2] }, "ascending"],
    [{ maxBatchSize: 4, allowedBatchSizes: [2, 8] }, "max_batch_size, 4"],
    [{ maxBatchSize: 4, enableLargeBatchSplitting: true, maxExecutionBatchSize: 5 }, "max_execution_batch_size"],
    [
      { maxBatchSize: 4, enableLargeBatchSplitting: true, maxExecutionBatchSize: 2, allowedBatchSizes: [4] },
      "max_execution_batch_size, 2",
    ],
  ])("C3 refuses %j", (options, part) => {
    expect(() => batching(options)).toThrow(part);
  });

  test("C4 refuses more rows than a batch has, and splits them where it may", async () => {
    const { session } = batching({ maxBatchSize: 2 });
    await expect(session.run(rows(1, 2, 3))).rejects.toMatchObject({ code: "invalid-argument" });
    const splitting = batching({ maxBatchSize: 8, enableLargeBatchSplitting: true, maxExecutionBatchSize: 2 });
    expect(await splitting.session.run(rows(1, 2, 3, 4, 5))).toEqual(doubled(1, 2, 3, 4, 5));
    expect(splitting.asked).toEqual([2, 2, 1]);
    const tooMany = rows(...new Array(21).fill(1)); // ten batches of two may wait
    await expect(splitting.session.run(tooMany)).rejects.toMatchObject({ code: "invalid-argument" });
  });

  test("C5 merges no runs of other row shapes or outputs", async () => {
    const { session, asked, given } = batching({});
    const wide = { x: { dtype: "float32", shape: [1, 3], data: Float32Array.of(1, 2, 3) } } as const;
    const outputs = await Promise.all([
      session.run(rows(1)),
      session.run(wide),
      session.run(rows(2), { outputs: ["y"] }),
    ]);
    expect(outputs).toEqual([doubled(1), double(wide), doubled(2)]);
    expect(asked).toEqual([1, 1, 1]);
    expect(given).toEqual([{}, {}, { outputs: ["y"] }]);
  });

  test("C5 fills shorter rows up with their first element, where told to", async () => {
    const { session, asked } = batching({ padVariableLengthInputs: true });
    const wide = { x: { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } } as const;
    const [short, long] = await Promise.all([session.run(rows(7)), session.run(wide)]);
    expect(short.y).toEqual({ dtype: "float32", shape: [1, 3], data: Float32Array.of(14, 14, 14) });
    expect(long).toEqual(double(wide));
    expect(asked).toEqual([3]);
  });

  test("C6 refuses what its queue has no place for, at once and exactly that", async () => {
    const { session, started, goOn } = held({ maxBatchSize: 1, maxEnqueuedBatches: 7 });
    const begun = started();
    const runs = Array.from({ length: 10 }, (_, index) => session.run(rows(index)));
    await begun;
    await expect(runs[8]).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("7 of 7") });
    await expect(runs[9]).rejects.toMatchObject({ code: "unavailable" });
    for (const run of runs.slice(0, 8)) {
      const next = Promise.race([run, started()]);
      goOn();
      await next;
    }
    const settled = await Promise.allSettled(runs);
    expect(settled.filter(({ status }) => status === "rejected")).toHaveLength(2);
  });

  test("C7, C10 and C11 a run that is aborted leaves the queue, with the signal's reason", async () => {
    const { session, asked, started, goOn } = held({ maxBatchSize: 4 });
    const begun = started();
    const first = session.run(rows(0));
    await begun;
    const deadline = new AbortController();
    const late = session.run(rows(1), { signal: deadline.signal });
    const other = session.run(rows(2));
    const reason = new InferenceError("cancelled", "the deadline has passed");
    deadline.abort(reason);
    await expect(late).rejects.toBe(reason);
    const again = started();
    goOn();
    expect(await first).toEqual(doubled(0));
    await again;
    goOn();
    expect(await other).toEqual(doubled(2));
    expect(asked).toEqual([1, 1]);
  });

  test("C10 a batch goes on for those who wait, and is aborted when nobody does", async () => {
    const { session, given, started, goOn } = held({ maxBatchSize: 2 });
    const controllers = [new AbortController(), new AbortController()] as const;
    const begun = started();
    const [first, second] = controllers.map(({ signal }, index) => session.run(rows(index), { signal }));
    await begun;
    controllers[0].abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect(given[0]?.signal?.aborted).toBe(false);
    controllers[1].abort(new Error("enough, too"));
    await expect(second).rejects.toThrow("enough, too");
    expect(given[0]?.signal?.aborted).toBe(true);
    goOn();
    await session.close();
  });

  test("C8 runs by priority, those without one last, and C12 otherwise in order", async () => {
    const order: number[] = [];
    const { session, started, goOn } = held({ maxBatchSize: 1 }, (inputs) => {
      order.push(inputs.x?.data[0] as number);
      return double(inputs);
    });
    let next = started();
    const waiting = [session.run(rows(0))];
    await next;
    const priorities = [0, 3, 1, 0, 3];
    waiting.push(...priorities.map((priority, index) => session.run(rows(index + 1), { priority })));
    for (const run of waiting) {
      next = Promise.race([started(), Promise.all(waiting).then(() => [])]);
      goOn();
      await next;
      void run;
    }
    await Promise.all(waiting);
    expect(order).toEqual([0, 3, 2, 5, 1, 4]);
  });

  test("C9 lets the poisoned run of a batch fail alone, with its own error", async () => {
    const { session, asked } = batching({}, (inputs) => {
      if ([...(inputs.x as Tensor).data].includes(13)) throw new InferenceError("invalid-argument", "no 13 here");
      return double(inputs);
    });
    const [good, bad, fine] = await Promise.allSettled([1, 13, 2].map((value) => session.run(rows(value))));
    expect(good).toEqual({ status: "fulfilled", value: doubled(1) });
    expect(bad).toMatchObject({ status: "rejected", reason: { message: "no 13 here" } });
    expect(fine).toEqual({ status: "fulfilled", value: doubled(2) });
    expect(asked).toEqual([3, 1, 1, 1]);
  });

  test("gives all runs of a batch the error of a device that is lost", async () => {
    const { session, asked } = batching({}, () => {
      throw new InferenceError("device-lost", "gone");
    });
    const outcomes = await Promise.allSettled([session.run(rows(1)), session.run(rows(2))]);
    expect(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason.code)).toEqual(
      Array(2).fill("device-lost"),
    );
    expect(asked).toEqual([2]);
  });

  test("runs each alone once outputs turn out to have other rows", async () => {
    const { session, asked } = batching({}, () => ({
      y: { dtype: "float32", shape: [1, 1], data: Float32Array.of(5) },
    }));
    const outputs = await Promise.all([session.run(rows(1, 2)), session.run(rows(3))]);
    expect(outputs.map(({ y }) => y?.shape)).toEqual([
      [1, 1],
      [1, 1],
    ]);
    await Promise.all([session.run(rows(1)), session.run(rows(3))]);
    expect(asked).toEqual([3, 2, 1, 1, 1]);
  });

  test("refuses inputs whose rows differ in number", async () => {
    const two: Signature = { ...signature, inputs: { x: signature.inputs.x as never, z: signature.inputs.x as never } };
    const session = withBatching(fakeSession(two, double));
    const inputs = { x: rows(1).x, z: rows(1, 2).x };
    await expect(session.run(inputs)).rejects.toMatchObject({ message: expect.stringContaining("expected 1 rows") });
  });

  test("merges rows of texts", async () => {
    const spec = { dtype: "string", shape: [null] } as const;
    const texts: Signature = { inputs: { x: spec }, outputs: { y: spec } };
    const session = withBatching(fakeSession(texts, ({ x }) => ({ y: x }) as Tensors));
    const of = (...data: string[]) => ({ dtype: "string", shape: [data.length], data }) as const;
    const outputs = await Promise.all([
      session.run({ x: of("a", "b") }),
      session.run({ x: of("c") }),
      session.run({ x: of() }),
    ]);
    expect(outputs).toEqual([{ y: of("a", "b") }, { y: of("c") }, { y: of() }]);
  });

  test.each([
    ["a first dimension is fixed", { inputs: { x: { dtype: "float32", shape: [1, 2] } }, outputs: signature.outputs }],
    ["an output has a fixed one", { inputs: signature.inputs, outputs: { y: { dtype: "float32", shape: [2] } } }],
    ["an input may have any rank", { inputs: { x: { dtype: "float32", shape: null } }, outputs: signature.outputs }],
  ] as const)("leaves a session as it is where %s", (_what, other) => {
    const session = fakeSession(other as Signature, double);
    expect(withBatching(session)).toBe(session);
  });

  test("leaves a session that keeps state as it is", () => {
    const session = { ...fakeSession(signature, double), keepsState: true };
    expect(withBatching(session)).toBe(session);
  });

  test("runs what waits when it is closed", async () => {
    const { session } = batching({ batchTimeoutMicros: hourMicros });
    const waiting = session.run(rows(1));
    await session.close();
    expect(await waiting).toEqual(doubled(1));
  });
});
