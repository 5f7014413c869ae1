import { valueAfter } from "@nearside/core/testing";
import { RunState, type Session, type Tensors } from "nearside";
import { fromPlainTensors, type PlainTensors, toPlainTensors } from "../plain-tensors.ts";
import { keptSessionCalls, workerOfKept } from "./kept-session.ts";
import { openTarget, settle, type Target } from "./target.ts";

/** What came of a stream over the model of `stateSuite`. */
export interface StreamReport {
  /** The first step whose output was not what it should be; −1 if there is none. */
  readonly firstWrong: number;
  readonly steps: number;
  /** Where the last step was run. */
  readonly location: string;
  readonly events: readonly string[];
  /** Tensors on the device, after so many steps. */
  readonly tensors: readonly number[];
  /** How often values of the state went to the worker, and came from it. */
  readonly sent: number;
  readonly received: number;
}

export interface StreamPlan {
  readonly steps: number;
  /** Ends the worker when this step is asked for. */
  readonly endWorkerAt?: readonly number[];
}

/** Whether a message has values of a state in it. */
const hasValues = (message: unknown) => {
  const { request, envelope } = message as {
    request?: { state?: { values?: unknown } };
    envelope?: { reply?: unknown };
  };
  const reply = envelope?.reply;
  return request?.state?.values !== undefined || Array.isArray(reply) || Object.hasOwn(Object(reply), "hOut");
};

export const streamCalls = {
  /** Streams numbers through the model of `stateSuite`, and compares each step with what it should be. */
  streamSteps: (target: Target, { steps, endWorkerAt = [] }: StreamPlan) =>
    settle(
      (async (): Promise<StreamReport> => {
        const events: string[] = [];
        const session: Session = await openTarget(target, { onEvent: ({ type }) => void events.push(type) });
        const crossing = countValues();
        const tensors: number[] = [];
        let firstWrong = -1;
        let count = 0;
        const shape = [1, 600];
        const items = Array.from({ length: steps }, (_, step) => step);
        const inputs = (step: number) => {
          if (endWorkerAt.includes(step)) keptSessionCalls.endWorker();
          return { x: { dtype: "float32", shape, data: new Float32Array(600).fill(step % 97) } } as Tensors;
        };
        try {
          for await (const { item, outputs } of session.stream(items, { inputs, state: { h: "hOut" } })) {
            count++;
            const { y } = outputs as Tensors;
            if (firstWrong < 0 && !y?.data.every((value) => value === 2 * valueAfter(item + 1))) firstWrong = item;
            if (session.location === "local" && item % 10 === 9) tensors.push((await session.memory()).tensors);
          }
          return { firstWrong, steps: count, location: session.location, events, tensors, ...crossing.end() };
        } finally {
          crossing.end();
          await session.close();
        }
      })(),
    ),

  /** Streams these inputs through a model with variables of its own, and ends the worker before some of them. */
  streamVariables: (target: Target, runs: readonly PlainTensors[], endWorkerAt: readonly number[]) =>
    settle(
      (async () => {
        const session: Session = await openTarget(target);
        const inputs = (step: number) => {
          if (endWorkerAt.includes(step)) keptSessionCalls.endWorker();
          return fromPlainTensors(runs[step] as PlainTensors);
        };
        try {
          const all: PlainTensors[] = [];
          const state = new RunState({});
          for await (const { outputs } of session.stream([...runs.keys()], { inputs, state })) {
            all.push(toPlainTensors(outputs as Tensors));
          }
          return all;
        } finally {
          await session.close();
        }
      })(),
    ),
};

/** Counts the messages with values of a state, between the page and the worker that it has now. */
function countValues() {
  const counts = { sent: 0, received: 0 };
  const worker = workerOfKept();
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (this: Worker, ...args: [unknown, never]) {
    if (hasValues(args[0])) counts.sent++;
    post.apply(this, args);
  };
  const onMessage = ({ data }: MessageEvent) => {
    if (hasValues(data)) counts.received++;
  };
  worker?.addEventListener("message", onMessage);
  return {
    end: () => {
      Worker.prototype.postMessage = post;
      worker?.removeEventListener("message", onMessage);
      return counts;
    },
  };
}
