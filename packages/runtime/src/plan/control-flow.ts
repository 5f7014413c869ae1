import { InferenceError } from "@nearside/core";
import type { KernelAttrs } from "../kernels/kernel-attrs.ts";
import { type Device, makeTensor, readNumbers } from "./device.ts";
import type { Ops, ValueOp } from "./op.ts";
import type { Plan } from "./plan.ts";
import { type Running, runPlan } from "./run-plan.ts";
import { dead, isTensor, release, retain, type Value } from "./value.ts";

/** Nodes that hand on what they are given. A plan without branches has no steps for them. */
export const identities: ReadonlySet<string> = new Set(["Identity", "IdentityN", "StopGradient", "Snapshot", "Print"])
  .add("PreventGradient")
  .add("CheckNumerics")
  .add("FakeQuantWithMinMaxVars")
  .add("PlaceholderWithDefault");

const handOn: ValueOp = { run: ([value], _, __, device) => retain(given(value), device) };

/** TensorFlow 1's branches: what isn't taken is dead, and so is all that follows from it. */
export const controlOps: Ops = {
  Switch: switchOp(() => 2), // false, true
  _SwitchN: switchOp((attrs) => attrs.int("num_outs", 2)),
  Merge: {
    run(inputs, _, __, device) {
      const index = inputs.findIndex((input) => input !== dead);
      const taken = inputs[index];
      return taken === undefined
        ? [dead, dead]
        : [retain(taken, device), makeTensor(device, Int32Array.of(index), [], "int32")];
    },
  },
  NoOp: { run: (_, __, ___, device) => makeTensor(device, Int32Array.of(0), [], "int32") },
  ...Object.fromEntries([...identities].map((op) => [op, handOn])),
  IdentityN: { run: (values, _, __, device) => values.map((value) => retain(value, device)) },
};

/** The output that the second input chooses is the first; the others are dead. */
function switchOp(count: (attrs: KernelAttrs) => number): ValueOp {
  return {
    reads: [1],
    run: ([data], attrs, { 1: [chosen = 0] = [] }, device) =>
      Array.from({ length: count(attrs) }, (_, index) => (index === chosen ? retain(given(data), device) : dead)),
  };
}

/** Runs `body` on the variables for as long as `cond` holds of them. */
export function* runLoop(
  { cond, body }: { readonly cond: Plan; readonly body: Plan },
  inputs: readonly Value[],
  device: Device,
): Running<readonly Value[]> {
  let variables: readonly Value[] = inputs.map((input) => retain(input, device));
  try {
    while (yield* holds(cond, variables, device)) {
      const next = yield* runPlan(body, variables, device);
      for (const variable of variables) release(variable, device);
      variables = next;
    }
    return variables;
  } catch (error) {
    for (const variable of variables) release(variable, device);
    throw error;
  }
}

function* holds(cond: Plan, variables: readonly Value[], device: Device): Running<boolean> {
  const results = yield* runPlan(cond, variables, device);
  try {
    return yield* isTrue(results[0], device);
  } finally {
    for (const result of results) release(result, device);
  }
}

/** Runs the one of two functions that the first input, a bool, chooses. */
export function* runBranch(
  [thenPlan, elsePlan]: readonly [Plan, Plan],
  [condition, ...args]: readonly Value[],
  device: Device,
): Running<readonly Value[]> {
  return yield* runPlan((yield* isTrue(condition, device)) ? thenPlan : elsePlan, args, device);
}

function* isTrue(value: Value | undefined, device: Device): Running<boolean> {
  const condition = given(value);
  if (!isTensor(condition)) throw new InferenceError("data-loss", "a condition: expected a tensor, got another value");
  const numbers = readNumbers(device, condition);
  return Boolean((numbers instanceof Promise ? ((yield numbers) as ArrayLike<number>) : numbers)[0]); // what it resolves to
}

function given(value: Value | undefined): Value {
  if (value === undefined) throw new InferenceError("data-loss", "control flow: expected an input, got none");
  return value;
}
