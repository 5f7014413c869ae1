import type { Tensors } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { fakeSession } from "../../testing/fake-repository.ts";
import { type Instance, withInstances } from "./with-instances.ts";

const spec = { dtype: "float32", shape: [null] } as const;
const signature = { inputs: { x: spec }, outputs: { y: spec } };
const inputs = { x: { dtype: "float32", shape: [1], data: Float32Array.of(2) } } as const;

/** An instance whose runs end when they are told to, and what became of it. */
function instance(isReady = true) {
  const ends: (() => void)[] = [];
  const run = () => new Promise<Tensors>((resolve) => ends.push(() => resolve({ y: inputs.x })));
  let closes = 0;
  const session: Instance = {
    ...fakeSession(signature, run),
    isReady,
    memory: async () => ({ deviceBytes: 10, tensors: 1 }),
    close: async () => {
      closes++;
    },
  };
  return { session, ends, closes: () => closes };
}

describe("withInstances", () => {
  test("is the session itself where there is one", () => {
    const { session } = instance();
    expect(withInstances([session])).toBe(session);
  });

  test("gives each run to the instance with the fewest", async () => {
    const [first, second] = [instance(), instance()];
    const session = withInstances([first.session, second.session]);
    const runs = [session.run(inputs), session.run(inputs), session.run(inputs)];
    expect([first.ends.length, second.ends.length]).toEqual([2, 1]);
    second.ends[0]?.();
    await runs[1];
    runs.push(session.run(inputs), session.run(inputs));
    expect([first.ends.length, second.ends.length]).toEqual([2, 3]);
    for (const end of [...first.ends, ...second.ends]) end();
    await Promise.all(runs);
  });

  test("passes over an instance that isn't ready, unless none is", async () => {
    const [down, up] = [instance(false), instance()];
    void withInstances([down.session, up.session]).run(inputs);
    expect([down.ends.length, up.ends.length]).toEqual([0, 1]);
    void withInstances([down.session, instance(false).session]).run(inputs);
    expect(down.ends.length).toBe(1);
  });

  test("tells the memory of all, and closes all once the runs are over", async () => {
    const [first, second] = [instance(), instance()];
    const session = withInstances([first.session, second.session]);
    expect(await session.memory()).toEqual({ deviceBytes: 20, tensors: 2 });
    const run = session.run(inputs);
    const closed = session.close();
    expect([first.closes(), second.closes()]).toEqual([0, 0]);
    first.ends[0]?.();
    await Promise.all([run, closed]);
    expect([first.closes(), second.closes()]).toEqual([1, 1]);
    await expect(session.run(inputs)).rejects.toMatchObject({ code: "closed" });
  });
});
