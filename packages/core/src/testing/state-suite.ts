import { InferenceError } from "../errors.ts";
import { RunState } from "../run-state.ts";
import type { Session } from "../session.ts";
import type { Tensor, Tensors } from "../tensor.ts";

/** One property that every session has whose runs hand a state on. `run` rejects where the property does not hold. */
export interface StateCase {
  readonly name: string;
  run(open: () => Promise<Session>): Promise<void>;
}

const names = { h: "hOut" };
const shape = [2, 600];

/** The input of a step; a step more or less, or in another place, gives other values than {@link valueAfter}. */
const inputOf = (step: number): Tensors => ({ x: filled(step % 97) });
const filled = (value: number): Tensor => ({ dtype: "float32", shape, data: new Float32Array(1200).fill(value) });

/** What the state holds after so many steps: h = x − h, in whole numbers, which every backend computes exactly. */
export function valueAfter(steps: number, initial = 0): number {
  let h = initial;
  for (let step = 0; step < steps; step++) h = (step % 97) - h;
  return h;
}

/**
 * The properties of runs with a state, on a model with the inputs x and h and the outputs hOut = x − h and y = 2·hOut, of
 * float32 [?,600].
 */
export const stateSuite: readonly StateCase[] = [
  {
    name: "hands outputs on to inputs from run to run, and leaves them out",
    run: withSession(async (session) => {
      await using state = new RunState(names, { initial: { h: filled(0) } });
      for (let step = 0; step < 40; step++) await expectStep(session, state, step);
    }),
  },
  {
    name: "begins with zeros where shapes are known, else with what is given",
    run: withSession(async (session) => {
      await using one = new RunState(names);
      const x: Tensor = { dtype: "float32", shape: [1, 600], data: new Float32Array(600).fill(3) };
      expectFilled(await session.run({ x }, { state: one }), 6);
      await using other = new RunState(names, { initial: { h: filled(-5) } });
      expectFilled(await session.run(inputOf(0), { state: other }), 2 * valueAfter(1, -5));
    }),
  },
  {
    name: "keeps the states of runs apart, and from runs without one",
    run: withSession(async (session) => {
      await using one = new RunState(names, { initial: { h: filled(0) } });
      await using other = new RunState(names, { initial: { h: filled(9) } });
      for (let step = 0; step < 5; step++) {
        await expectStep(session, one, step);
        await expectStep(session, other, step, 9);
        expectFilled(await session.run({ ...inputOf(step), h: filled(1) }), 2 * (step - 1), ["hOut", "y"]);
      }
    }),
  },
  {
    name: "lets runs of one state that begin together take turns",
    run: withSession(async (session) => {
      await using state = new RunState(names, { initial: { h: filled(0) } });
      const steps = Array.from({ length: 20 }, (_, step) => step);
      await Promise.all(steps.map((step) => expectStep(session, state, step)));
    }),
  },
  {
    name: "goes on as it was after a run that was refused or taken back",
    run: withSession(async (session) => {
      await using state = new RunState(names, { initial: { h: filled(0) } });
      for (let step = 0; step < 3; step++) await expectStep(session, state, step);
      await expectRejection(session.run({}, { state }), "invalid-argument");
      const controller = new AbortController();
      const run = session.run(inputOf(50), { state, signal: controller.signal });
      controller.abort(new InferenceError("cancelled", "not needed any more"));
      await expectRejection(run, "cancelled");
      for (let step = 3; step < 20; step++) await expectStep(session, state, step);
    }),
  },
  {
    name: "goes on in another session",
    run: async (open) => {
      await using state = new RunState(names, { initial: { h: filled(0) } });
      for (const first of [0, 21, 42]) {
        await using session = await open();
        for (let step = first; step < first + 21; step++) await expectStep(session, state, step);
      }
    },
  },
  {
    name: "takes its inputs as they are when the run begins",
    run: withSession(async (session) => {
      await using state = new RunState(names, { initial: { h: filled(0) } });
      const x = filled(0);
      for (let step = 0; step < 10; step++) {
        (x.data as Float32Array).fill(step);
        await session.run({ x }, { state });
      }
      await state.release(); // so that what was given must be run again
      await expectStep(session, state, 10);
    }),
  },
  {
    name: "streams every item, in order, and ends with the source",
    run: withSession(async (session) => {
      const steps = Array.from({ length: 25 }, (_, step) => step);
      const initial = { h: filled(0) };
      const seen: number[] = [];
      const stream = session.stream(steps, { inputs: inputOf, state: new RunState(names, { initial }) });
      for await (const { item, outputs, skipped } of stream) {
        seen.push(item);
        expectFilled(outputs as Tensors, 2 * valueAfter(item + 1));
        expect(skipped === 0, `skipped ${skipped}`);
      }
      expect(String(seen) === String(steps), `ran ${seen}`);
    }),
  },
  {
    name: "ends a stream that is taken back while its inputs don't come",
    run: withSession(async (session) => {
      const controller = new AbortController();
      const inputs = () => {
        controller.abort(new Error("enough"));
        return new Promise<never>(() => {});
      };
      const step = session.stream([0], { inputs, signal: controller.signal }).next();
      const reason: unknown = await step.catch((error: unknown) => error);
      expect(reason === controller.signal.reason, `rejected with ${reason}`);
    }),
  },
  {
    name: "releases a state whose session is closed",
    run: async (open) => {
      const session = await open();
      const state = new RunState(names, { initial: { h: filled(0) } });
      await expectStep(session, state, 0);
      await session.close();
      await state.release();
    },
  },
  {
    name: "refuses names that the model doesn't have",
    run: withSession(async (session) => {
      await expectRejection(session.run(inputOf(0), { state: new RunState({ h: "nothing" }) }), "invalid-argument");
      await expectRejection(session.run(inputOf(0), { state: new RunState({ g: "hOut" }) }), "invalid-argument");
    }),
  },
];

async function expectStep(session: Session, state: RunState, step: number, initial = 0): Promise<void> {
  expectFilled(await session.run(inputOf(step), { state }), 2 * valueAfter(step + 1, initial));
}

function expectFilled(outputs: Tensors, value: number, expectedNames: readonly string[] = ["y"]): void {
  const got = Object.keys(outputs).sort();
  expect(String(got) === String(expectedNames), `outputs ${got}, expected ${expectedNames}`);
  const data = outputs.y?.data as Float32Array; // there is one, as just seen
  const wrong = data.findIndex((each) => each !== value);
  expect(wrong < 0, `y[${wrong}]: expected ${value}, got ${data[wrong]}`);
}

async function expectRejection(promise: Promise<unknown>, code: InferenceError["code"]): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error instanceof InferenceError && error.code === code, `expected ${code}, got ${error}`);
}

function withSession(check: (session: Session) => Promise<void>): StateCase["run"] {
  return async (open) => {
    await using session = await open();
    await check(session);
  };
}

function expect(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
