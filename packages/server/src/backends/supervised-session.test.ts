import { InferenceError, type Session, type Tensors } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { fakeSession } from "../../testing/fake-repository.ts";
import { type SupervisionEvent, superviseSession } from "./supervised-session.ts";

const spec = { dtype: "float32", shape: [null] } as const;
const signature = { inputs: { x: spec }, outputs: { y: spec } };
const x = { dtype: "float32", shape: [1], data: Float32Array.of(2) } as const;

/** Opens sessions by hand: the test answers each attempt, and tells when one dies. */
function openings() {
  const attempts: { succeed: (run?: Session["run"]) => void; fail: (error: Error) => void; die: () => void }[] = [];
  const waiting: (() => void)[] = [];
  const open = () =>
    new Promise<{ session: Session; death: Promise<InferenceError> }>((resolve, reject) => {
      let die = () => {};
      const death = new Promise<InferenceError>((tell) => {
        die = () => tell(new InferenceError("device-lost", "it was ended by SIGKILL"));
      });
      const echo: Session["run"] = async (inputs) => ({ y: (inputs as Tensors).x }) as Tensors;
      const succeed = (run = echo) => resolve({ session: { ...fakeSession(signature, () => ({})), run }, death });
      attempts.push({ succeed, fail: reject, die });
      for (const look of waiting.splice(0)) look();
    });
  /** The attempt with this number, once it is made. */
  const attempt = async (number: number) => {
    while (attempts.length <= number) await new Promise<void>((resolve) => waiting.push(resolve));
    return attempts[number] as (typeof attempts)[number];
  };
  return { open, attempt };
}

describe("superviseSession", () => {
  test("rejects if the first opening does", async () => {
    const failed = new InferenceError("data-loss", "broken");
    await expect(superviseSession(() => Promise.reject(failed))).rejects.toBe(failed);
  });

  test("opens again at once what died, and lets new runs wait for it", async () => {
    const { open, attempt } = openings();
    const events: SupervisionEvent[] = [];
    const opening = superviseSession(open, { onEvent: (event) => events.push(event) });
    (await attempt(0)).succeed();
    await using session = await opening;
    (await attempt(0)).die();
    const second = await attempt(1);
    expect(session.isReady).toBe(false);
    const run = session.run({ x });
    second.succeed();
    expect(await run).toEqual({ y: x });
    expect(session.isReady).toBe(true);
    expect(events).toEqual([
      { type: "lost", error: expect.objectContaining({ code: "device-lost" }) },
      { type: "restarted", afterMs: expect.any(Number) },
    ]);
  });

  test("answers unavailable at once while it waits longer and longer, then runs again", async () => {
    const { open, attempt } = openings();
    const events: string[] = [];
    const opening = superviseSession(open, {
      firstDelayMs: 20,
      maxDelayMs: 30,
      onEvent: ({ type }) => events.push(type),
    });
    (await attempt(0)).succeed();
    await using session = await opening;
    (await attempt(0)).die();
    const waiting = attempt(1).then(() => session.run({ x }));
    (await attempt(1)).fail(new Error("no such device"));
    await expect(waiting).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("no such device"),
    });
    await expect(session.run({ x })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("it starts again in 1 s"),
    });
    (await attempt(2)).fail(new Error("still none"));
    (await attempt(3)).succeed();
    while (!session.isReady) await new Promise((resolve) => setImmediate(resolve));
    expect(await session.run({ x })).toEqual({ y: x });
    expect(events).toEqual(["lost", "lost", "lost", "restarted"]);
  });

  test("opens at once again after it has done well", async () => {
    const { open, attempt } = openings();
    const opening = superviseSession(open, { firstDelayMs: 1e9, maxDelayMs: 1e9 });
    (await attempt(0)).succeed();
    await using session = await opening;
    for (let life = 0; life < 3; life++) {
      (await attempt(life)).die();
      (await attempt(life + 1)).succeed();
      for (let runs = 0; runs < 10; runs++) await session.run({ x });
    }
    expect(session.isReady).toBe(true);
  });

  test("closes in the middle of a delay", async () => {
    const { open, attempt } = openings();
    const opening = superviseSession(open, { firstDelayMs: 1e9, maxDelayMs: 1e9 });
    (await attempt(0)).succeed();
    const session = await opening;
    (await attempt(0)).die();
    (await attempt(1)).fail(new Error("no"));
    await session.close();
    await expect(session.run({ x })).rejects.toMatchObject({ code: "closed" });
  });
});
