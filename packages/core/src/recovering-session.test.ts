import { describe, expect, test } from "vitest";
import { type ErrorCode, InferenceError } from "./errors.ts";
import { withoutImages } from "./image-input.ts";
import type { Opener, SessionEvent } from "./open-first.ts";
import { openWithRecovery } from "./recovering-session.ts";
import type { Transport } from "./rpc/protocol.ts";
import { openProxySession } from "./rpc/proxy-session.ts";
import type { Backend, Session } from "./session.ts";
import { sessionSuite } from "./testing/session-suite.ts";

const x = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } as const;
const y = { dtype: "float32", shape: [2], data: Float32Array.of(2, 4) } as const;
const spec = { dtype: "float32", shape: [2] } as const;
const lost = (code: ErrorCode = "device-lost") => new InferenceError(code, "the device went away");

interface Fake {
  readonly backend?: Backend;
  readonly keepsState?: boolean;
  /** Called before each run, which counts from 1 on each session; may throw. */
  readonly beforeRun?: (run: number, session: number) => unknown;
  readonly beforeOpen?: (session: number, signal: AbortSignal | undefined) => unknown;
}

/** A way to open sessions that double their input, and what became of them. */
function fakeWay({ backend = "webgpu", keepsState = false, beforeRun, beforeOpen }: Fake = {}) {
  const record = { opened: 0, closed: 0 };
  const open: Opener = async (signal) => {
    const session = ++record.opened;
    let runs = 0;
    const transport: Transport = {
      async open() {
        await beforeOpen?.(session, signal);
        return { signature: { inputs: { x: spec }, outputs: { y: spec } }, backend, keepsState };
      },
      async run({ inputs }, { signal } = {}) {
        await beforeRun?.(++runs, session);
        signal?.throwIfAborted();
        const [input = x] = Object.values(withoutImages(inputs));
        return { y: { ...y, data: Float32Array.from(input.data as Float32Array, (value) => value * 2) } };
      },
      readState: async () => [],
      freeState: async () => null,
      memory: async () => ({ deviceBytes: 8, tensors: 1 }),
      async close() {
        record.closed++;
        return null;
      },
    };
    return openProxySession(transport, { model: "double" }, { location: "local" });
  };
  return { open, record };
}

/** Fails all runs of the first `count` sessions of a way. */
function failing(count: number, code?: ErrorCode): NonNullable<Fake["beforeRun"]> {
  return (_run, session) => {
    if (session <= count) throw lost(code);
  };
}

async function openFakes(ways: readonly { open: Opener }[]) {
  const events: SessionEvent[] = [];
  const openers = ways.map(({ open }) => open);
  const session = await openWithRecovery("double", openers, { onEvent: (event) => events.push(event) });
  return { session, events, types: () => events.map(({ type }) => type) };
}

const runTimes = async (session: Session, count: number) => {
  for (let run = 0; run < count; run++) expect(await session.run({ x })).toEqual({ y });
};

describe("a session that is lost now and then", () => {
  const golden = { inputs: { x }, outputs: { y } };
  const everyThird = (run: number) => {
    if (run === 3) throw lost();
  };
  test.each(sessionSuite)("$name", async ({ run }) => {
    const ways = [fakeWay({ beforeRun: everyThird }), fakeWay({ backend: "wasm", beforeRun: everyThird }), fakeWay()];
    await run(async () => (await openFakes(ways)).session, golden);
  });
});

test.each(["device-lost", "out-of-memory"] as const)("an interrupted run is run again after %s", async (code) => {
  const way = fakeWay({ beforeRun: failing(1, code) });
  const { session, events } = await openFakes([way]);
  await runTimes(session, 1);
  expect(way.record).toEqual({ opened: 2, closed: 1 });
  const place = { backend: "webgpu", location: "local" };
  const error = expect.objectContaining({ code });
  expect(events).toEqual([
    { type: "opened", ...place },
    { type: "lost", ...place, error },
    { type: "opened", ...place },
  ]);
});

test("runs that are lost together share one opening", async () => {
  const way = fakeWay({ beforeRun: failing(1) });
  const { session, types } = await openFakes([way]);
  const replies = await Promise.all(Array.from({ length: 5 }, () => session.run({ x })));
  expect(replies).toEqual(Array.from({ length: 5 }, () => ({ y })));
  expect(way.record).toEqual({ opened: 2, closed: 1 });
  expect(types()).toEqual(["opened", "lost", "opened"]);
});

test("what is lost again at once is opened in the next way, and tells so", async () => {
  const gpu = fakeWay({ beforeRun: failing(Number.POSITIVE_INFINITY) });
  const wasm = fakeWay({ backend: "wasm" });
  const { session, types } = await openFakes([gpu, wasm]);
  expect(session.backend).toBe("webgpu");
  await runTimes(session, 1);
  expect(session.backend).toBe("wasm");
  expect([gpu.record.opened, wasm.record.opened]).toEqual([2, 1]);
  expect(types()).toEqual(["opened", "lost", "opened", "lost", "opened"]);
});

test("what has proved itself since it was lost is opened in the same way", async () => {
  const gpu = fakeWay({
    beforeRun: (run) => {
      if (run === 11) throw lost();
    },
  });
  const { session } = await openFakes([gpu, fakeWay({ backend: "wasm" })]);
  await runTimes(session, 50);
  expect(session.backend).toBe("webgpu");
  expect(gpu.record.opened).toBe(5);
});

test("a way that can't be opened again is passed over", async () => {
  const beforeOpen = (session: number) => session > 1 && Promise.reject(new InferenceError("unavailable", "offline"));
  const gpu = fakeWay({ beforeRun: failing(1), beforeOpen });
  const { session, events } = await openFakes([gpu, fakeWay({ backend: "wasm" })]);
  await runTimes(session, 1);
  expect(session.backend).toBe("wasm");
  expect(events).toContainEqual({ type: "refused", error: expect.objectContaining({ code: "unavailable" }) });
});

test("with no way left a run rejects with the loss and the reasons, and the next begins with the first way", async () => {
  const beforeOpen = (session: number) =>
    session === 2 && Promise.reject(new InferenceError("no-backend", "no adapter"));
  const way = fakeWay({ beforeRun: failing(1, "out-of-memory"), beforeOpen });
  const { session } = await openFakes([way]);
  await expect(session.run({ x })).rejects.toMatchObject({
    code: "out-of-memory",
    message: "the device went away; nothing could take its place: no adapter",
  });
  await runTimes(session, 1);
  expect(way.record.opened).toBe(3);
});

/** A way on which one run, which every other gets over, loses the session after `before` is done. */
function poisonedWay(backend: Backend, before: () => Promise<unknown> = async () => {}) {
  const { open, record } = fakeWay({ backend });
  const opener: Opener = async (signal) => {
    const session = await open(signal);
    const run: Session["run"] = async (inputs, options) => {
      if (inputs.x !== poison) return session.run(inputs, options);
      await before();
      throw lost();
    };
    return Object.assign(Object.create(session), { run, close: () => session.close() });
  };
  return { open: opener, record };
}
const poison = { ...x, data: Float32Array.of(6, 66) };

test("a run that breaks all that it is run on ends when each way was tried twice, and the next run goes well", async () => {
  const ways = [poisonedWay("webgpu"), poisonedWay("wasm")];
  const { session } = await openFakes(ways);
  await expect(session.run({ x: poison })).rejects.toMatchObject({ code: "device-lost" });
  expect(ways.map(({ record }) => record.opened)).toEqual([2, 2]);
  await runTimes(session, 1);
  expect(session.backend).toBe("webgpu");
});

test("a run that breaks all that it is run on ends even where others prove each session good", async () => {
  const proveGood = () => runTimes(session, 10);
  const way = poisonedWay("webgpu", () => proveGood());
  const { session } = await openFakes([way]);
  await expect(session.run({ x: poison })).rejects.toMatchObject({ code: "device-lost" });
  expect(way.record.opened).toBe(3);
});

test("what a model keeps is gone with its session: the run rejects, the next begins anew", async () => {
  const way = fakeWay({ keepsState: true, beforeRun: failing(1) });
  const { session } = await openFakes([way]);
  expect(session.keepsState).toBe(true);
  await expect(session.run({ x })).rejects.toMatchObject({
    code: "device-lost",
    message: expect.stringContaining("what the model kept is gone"),
  });
  await runTimes(session, 1);
  expect(way.record.opened).toBe(2);
});

test("a run that there is no memory for leaves what a model keeps as it was", async () => {
  const way = fakeWay({ keepsState: true, beforeRun: (run) => run === 2 && Promise.reject(lost("out-of-memory")) });
  const { session, types } = await openFakes([way]);
  await runTimes(session, 1);
  await expect(session.run({ x })).rejects.toMatchObject({ code: "out-of-memory" });
  await runTimes(session, 1);
  expect([way.record.opened, types()]).toEqual([1, ["opened"]]);
});

test("what is on the device is told of the session that is open, and the loss where none is", async () => {
  const { session } = await openFakes([fakeWay({ keepsState: true, beforeRun: failing(1) })]);
  const memory = { deviceBytes: 8, tensors: 1 };
  expect(await session.memory()).toEqual(memory);
  await expect(session.run({ x })).rejects.toMatchObject({ code: "device-lost" });
  await expect(session.memory()).rejects.toMatchObject({ code: "device-lost" });
  const run = session.run({ x });
  expect(await session.memory()).toEqual(memory); // of the one that is being opened
  await run;
});

test("a run whose inputs were handed over isn't run again", async () => {
  const { session } = await openFakes([fakeWay({ beforeRun: failing(1) })]);
  await expect(session.run({ x }, { transfer: true })).rejects.toMatchObject({
    code: "device-lost",
    message: expect.stringContaining("handed over"),
  });
  await runTimes(session, 1);
});

test("an error of another kind is the caller's, and nothing is opened again", async () => {
  const failure = new InferenceError("internal", "a node failed");
  const way = fakeWay({ beforeRun: (run) => run === 1 && Promise.reject(failure) });
  const { session } = await openFakes([way]);
  await expect(session.run({ x })).rejects.toBe(failure);
  await runTimes(session, 1);
  expect(way.record.opened).toBe(1);
});

/** A way whose second opening tells when it has `started` and ends when the test says so. */
function slowWay() {
  let goOn = () => {};
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let tellStarted: (signal: AbortSignal | undefined) => void = () => {};
  const started = new Promise<AbortSignal | undefined>((resolve) => {
    tellStarted = resolve;
  });
  const way = fakeWay({
    beforeRun: failing(1),
    beforeOpen: (session, signal) => {
      if (session === 1) return;
      tellStarted(signal);
      return waiting;
    },
  });
  return { ...way, started, goOn };
}

test("a run can be taken back while the session is opened again, and the others go on", async () => {
  const way = slowWay();
  const { session } = await openFakes([way]);
  const controller = new AbortController();
  const reason = new Error("not needed any more");
  const first = session.run({ x });
  const second = session.run({ x }, { signal: controller.signal });
  await way.started;
  controller.abort(reason);
  await expect(second).rejects.toBe(reason);
  way.goOn();
  expect(await first).toEqual({ y });
});

test("closing while it is opened again waits for the runs", async () => {
  const way = slowWay();
  const { session } = await openFakes([way]);
  const run = session.run({ x });
  await way.started;
  const closing = session.close();
  way.goOn();
  expect(await run).toEqual({ y });
  await closing;
  expect(way.record).toEqual({ opened: 2, closed: 2 });
  await expect(session.run({ x })).rejects.toMatchObject({ code: "closed" });
});

test("closing while it is opened again for no run takes the opening back", async () => {
  const way = slowWay();
  const { session } = await openFakes([way]);
  const controller = new AbortController();
  const run = session.run({ x }, { signal: controller.signal });
  const signal = await way.started;
  controller.abort(new Error("not needed any more"));
  await expect(run).rejects.toThrow("not needed any more");
  const closing = session.close();
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
  way.goOn();
  await closing;
  expect(way.record).toEqual({ opened: 2, closed: 2 });
});

test("a listener that throws doesn't keep a session from opening", async () => {
  const thrown = new Promise((resolve) => process.once("unhandledRejection", resolve));
  const session = await openWithRecovery("double", [fakeWay().open], {
    onEvent: () => {
      throw new Error("of the listener");
    },
  });
  await runTimes(session, 1);
  expect(await thrown).toMatchObject({ message: "of the listener" });
});

describe("opening for the first time", () => {
  const refusing = (code: ErrorCode) => fakeWay({ beforeOpen: () => Promise.reject(new InferenceError(code, code)) });

  test("takes the next way after one that has no backend for it", async () => {
    const { session, types } = await openFakes([refusing("no-backend"), fakeWay({ backend: "wasm" })]);
    expect(session.backend).toBe("wasm");
    await session.close();
    expect(types()).toEqual(["refused", "opened"]);
  });

  test("ends with what is no matter of the place", async () => {
    const next = fakeWay();
    await expect(openFakes([refusing("not-found"), next])).rejects.toMatchObject({ code: "not-found" });
    expect(next.record.opened).toBe(0);
  });

  test("lists the reasons where no way works", async () => {
    await expect(openFakes([refusing("no-backend"), refusing("out-of-memory")])).rejects.toMatchObject({
      code: "no-backend",
      message: "no backend here can run double: no-backend; out-of-memory; give it a fallback server",
    });
    await expect(openFakes([])).rejects.toMatchObject({
      message: expect.stringContaining("no way to open it was given"),
    });
  });

  test("rejects with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("not needed any more");
    const aborting = fakeWay({
      beforeOpen: () => {
        controller.abort(reason);
        throw lost();
      },
    });
    const opening = openWithRecovery("double", [aborting.open, fakeWay().open], { signal: controller.signal });
    await expect(opening).rejects.toBe(reason);
  });
});
