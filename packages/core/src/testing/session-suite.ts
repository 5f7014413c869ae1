import { InferenceError } from "../errors.ts";
import type { Session } from "../session.ts";
import { elementCount, type Tensor, type Tensors } from "../tensor.ts";

/** One property that every session has, whatever it is made of. `run` rejects where the property does not hold. */
export interface SessionCase {
  readonly name: string;
  run(open: () => Promise<Session>, golden: GoldenRun): Promise<void>;
}

/** Inputs, and the outputs that the model's author's framework computed from them. */
export interface GoldenRun {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
}

/**
 * The properties of a session. A test runner's loop makes a test of each, over a function that opens the session under
 * test on a model with at least one fixed input dimension, and one golden run of it.
 */
export const sessionSuite: readonly SessionCase[] = [
  {
    name: "tells its signature, backend and location",
    run: withSession(async (session, golden) => {
      const { signature } = session;
      expectEqual(Object.keys(signature.inputs).sort(), Object.keys(golden.inputs).sort(), "input names");
      expectEqual(Object.keys(signature.outputs).sort(), Object.keys(golden.outputs).sort(), "output names");
      expect(["webgpu", "webgl", "wasm", "cpu", "tensorflow"].includes(session.backend), `backend ${session.backend}`);
      expect(["local", "server"].includes(session.location), `location ${session.location}`);
      expectEqual(session.keepsState, false, "keepsState");
    }),
  },
  {
    name: "tells what is on its device, unless that is a server's",
    run: withSession(async (session, golden) => {
      await session.run(golden.inputs);
      if (session.location === "server") return expectCode("unsupported", session.memory(), "server");
      const { deviceBytes, tensors } = await session.memory();
      expect(deviceBytes > 0 && tensors > 0, `got ${deviceBytes} bytes in ${tensors} tensors`);
    }),
  },
  {
    name: "computes the golden outputs",
    run: withSession(async (session, golden) => expectClose(await session.run(golden.inputs), golden.outputs)),
  },
  {
    name: "computes the same again",
    run: withSession(async (session, golden) => {
      for (let count = 0; count < 3; count++) expectClose(await session.run(golden.inputs), golden.outputs);
    }),
  },
  {
    name: "answers concurrent runs each with its own outputs",
    run: withSession(async (session, golden) => {
      const zeros = mapTensors(golden.inputs, (tensor) => ({ ...tensor, data: zeroData(tensor) }));
      const expectedZeros = await session.run(zeros);
      const runs = [golden.inputs, zeros, golden.inputs, zeros].map((inputs) => session.run(inputs));
      const replies = await Promise.all(runs);
      for (const [index, outputs] of replies.entries()) {
        expectClose(outputs, index % 2 === 0 ? golden.outputs : expectedZeros);
      }
    }),
  },
  {
    name: "leaves the caller's inputs as they were",
    run: withSession(async (session, golden) => {
      const before = mapTensors(golden.inputs, (tensor) => ({
        ...tensor,
        data: tensor.data.slice() as Tensor["data"],
      }));
      await session.run(golden.inputs);
      expectEqual(golden.inputs, before, "inputs after the run");
    }),
  },
  {
    name: "computes only the outputs asked for",
    run: withSession(async (session, golden) => {
      const [name] = Object.keys(golden.outputs) as [string];
      const outputs = await session.run(golden.inputs, { outputs: [name] });
      expectEqual(Object.keys(outputs), [name], "outputs");
      expectClose(outputs, { [name]: golden.outputs[name] as Tensor });
    }),
  },
  {
    name: "refuses an output that the model does not have",
    run: withSession((session, golden) =>
      expectCode("invalid-argument", session.run(golden.inputs, { outputs: ["no such output"] }), "no such output"),
    ),
  },
  {
    name: "refuses a missing input by name",
    run: withSession(async (session, golden) => {
      const [name, ...others] = Object.keys(golden.inputs) as [string, ...string[]];
      const inputs = Object.fromEntries(others.map((other) => [other, golden.inputs[other] as Tensor]));
      await expectCode("invalid-argument", session.run(inputs), name);
    }),
  },
  {
    name: "refuses an input that the model does not have",
    run: withSession(async (session, golden) => {
      const [tensor] = Object.values(golden.inputs) as [Tensor];
      await expectCode("invalid-argument", session.run({ ...golden.inputs, misspelt: tensor }), "misspelt");
    }),
  },
  {
    name: "refuses a wrong dtype",
    run: withSession(async (session, golden) => {
      const wrong = mapTensors(golden.inputs, ({ shape }) => ({ dtype: "string", shape, data: stringData(shape) }));
      await expectCode("invalid-argument", session.run(wrong), "got string");
    }),
  },
  {
    name: "refuses a wrong shape and says what was expected",
    run: withSession(async (session, golden) => {
      const longer = (shape: readonly number[]) => [...shape, 1];
      const wrong = mapTensors(golden.inputs, (tensor) => ({ ...tensor, shape: longer(tensor.shape) }));
      await expectCode("invalid-argument", session.run(wrong), "expected");
    }),
  },
  {
    name: "refuses data that does not fill its shape",
    run: withSession(async (session, golden) => {
      const wrong = mapTensors(golden.inputs, (tensor) => ({
        ...tensor,
        data: tensor.data.slice(0, -1) as Tensor["data"],
      }));
      await expectCode("invalid-argument", session.run(wrong), "values");
    }),
  },
  {
    name: "still runs after a refusal",
    run: withSession(async (session, golden) => {
      await expectCode("invalid-argument", session.run({}), "expected");
      expectClose(await session.run(golden.inputs), golden.outputs);
    }),
  },
  {
    name: "rejects with the signal's reason when it is already aborted",
    run: withSession(async (session, golden) => {
      const reason = new Error("not needed any more");
      const controller = new AbortController();
      controller.abort(reason);
      const outcome = await settle(session.run(golden.inputs, { signal: controller.signal }));
      expect(outcome.error === reason, `rejected with ${outcome.error}`);
    }),
  },
  {
    name: "rejects with the signal's reason when it is aborted during a run, and runs on",
    run: withSession(async (session, golden) => {
      const reason = new Error("not needed any more");
      const controller = new AbortController();
      const run = settle(session.run(golden.inputs, { signal: controller.signal }));
      controller.abort(reason);
      const { error } = await run;
      expect(error === reason, `rejected with ${error}`);
      expectClose(await session.run(golden.inputs), golden.outputs);
    }),
  },
  {
    name: "finishes the runs in flight, then refuses to run, once closed; closing twice is fine",
    run: async (open, golden) => {
      const session = await open();
      const inFlight = session.run(golden.inputs);
      await Promise.all([session.close(), session.close()]);
      expectClose(await inFlight, golden.outputs);
      await expectCode("closed", session.run(golden.inputs), "open it again");
      await expectCode("closed", session.memory(), "open it again");
      await session.close();
    },
  },
  {
    name: "answers what it was asked before it was closed",
    run: async (open) => {
      const session = await open();
      const memory = session.memory().catch((error: unknown) => error);
      await session.close();
      const answer = await memory;
      const isTold =
        session.location === "server" ? answer instanceof InferenceError : Object.hasOwn(Object(answer), "tensors");
      expect(isTold, `memory: ${answer}`);
    },
  },
];

function withSession(check: (session: Session, golden: GoldenRun) => Promise<void>): SessionCase["run"] {
  return async (open, golden) => {
    await using session = await open();
    await check(session, golden);
  };
}

/** Throws unless both have the same tensors: numbers within 1e-4 + 1e-4·|expected|, everything else exactly. */
export function expectClose(actual: Tensors, expected: Tensors): void {
  expectEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), "tensor names");
  for (const [name, want] of Object.entries(expected)) {
    const got = actual[name] as Tensor; // same names, as just checked
    expectEqual(got.dtype, want.dtype, `"${name}".dtype`);
    expectEqual(got.shape, want.shape, `"${name}".shape`);
    expectEqual(got.data.length, want.data.length, `"${name}".data.length`);
    want.data.forEach((value: unknown, index: number) => {
      expect(isClose(got.data[index], value), `"${name}"[${index}]: expected ${value}, got ${got.data[index]}`);
    });
  }
}

function isClose(actual: unknown, expected: unknown): boolean {
  if (Object.is(actual, expected) || actual === expected) return true;
  if (typeof actual !== "number" || typeof expected !== "number") return false;
  return Math.abs(actual - expected) <= 1e-4 + 1e-4 * Math.abs(expected);
}

function mapTensors(tensors: Tensors, change: (tensor: Tensor) => Tensor): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor)]));
}

function zeroData({ dtype, data }: Tensor): Tensor["data"] {
  if (dtype === "string") return new Array<string>(data.length).fill("");
  return (data as Float32Array).slice().fill(0); // stands for every numeric array
}

function stringData(shape: readonly number[]): readonly string[] {
  return Array.from({ length: elementCount(shape) }, () => "text");
}

async function expectCode(code: InferenceError["code"], promise: Promise<unknown>, part: string): Promise<void> {
  const { error } = await settle(promise);
  expect(error instanceof InferenceError, `expected an InferenceError, got ${error}`);
  expectEqual((error as InferenceError).code, code, "code");
  expect((error as InferenceError).message.includes(part), `"${(error as InferenceError).message}" lacks "${part}"`);
}

async function settle(promise: Promise<unknown>): Promise<{ error?: unknown }> {
  return promise.then(
    () => ({}),
    (error: unknown) => ({ error }),
  );
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [got, want] = [actual, expected].map((value) => JSON.stringify(value, printBigInt));
  expect(got === want, `${what}: expected ${want}, got ${got}`);
}

function printBigInt(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

function expect(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
