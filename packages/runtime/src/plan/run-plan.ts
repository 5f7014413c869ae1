import { InferenceError } from "@nearside/core";
import type { Device } from "./device.ts";
import { failAtNode } from "./fail-at-node.ts";
import type { Plan, Step } from "./plan.ts";
import { dead, release, retain, type Value } from "./value.ts";

/**
 * Work that is done at once but where it yields a promise: then it goes on with what that resolves to. Whoever starts
 * it finishes it, by {@link finish} or {@link finishNow}.
 */
export type Running<T> = Generator<Promise<unknown>, T, unknown>;

/** Does the work, waiting where it must. */
export async function finish<T>(running: Running<T>): Promise<T> {
  let state = running.next();
  while (!state.done) {
    const settled = await state.value.then(
      (value) => () => running.next(value),
      (error: unknown) => () => running.throw(error),
    );
    state = settled();
  }
  return state.value;
}

/** Does the work in one go. Throws `unsupported` if it would have to wait for the device. */
export function finishNow<T>(running: Running<T>): T {
  const state = running.next();
  if (state.done) return state.value;
  state.value.catch(() => {}); // whatever it says, nobody waits for it any more
  const stopped = running.throw(new InferenceError("unsupported", "it waits for what the device computes"));
  if (stopped.done) return stopped.value;
  throw new InferenceError("internal", "work went on after it was stopped");
}

/**
 * Runs the steps of a plan in order. Borrows its inputs; the outputs are the caller's to release. Only for a step that
 * must wait for the device it waits. Whatever fails, nothing of the run is left on the device.
 */
export function* runPlan(plan: Plan, inputs: readonly Value[], device: Device): Running<readonly Value[]> {
  const slots = plan.slots.slice();
  for (const [index, slot] of plan.inputs.entries()) slots[slot] = retain(inputs[index] as Value, device); // all are given
  try {
    for (const step of plan.steps) {
      const outputs = startStep(plan, step, slots);
      place(step, isSettled(outputs) ? outputs : yield* settle(step, outputs, device), slots, device);
    }
    return plan.outputs.map((slot) => retain(slots[slot] as Value, device)); // computed by a step, or a constant
  } finally {
    for (const [slot, value] of slots.entries()) {
      if (value !== undefined && value !== plan.slots[slot]) release(value, device);
    }
  }
}

type Started = ReturnType<Step["run"]>;
type Outputs = Value | readonly Value[];

function startStep({ hasBranches }: Plan, step: Step, slots: readonly (Value | undefined)[]): Started {
  const inputs = step.inputs.map((slot) => slots[slot] as Value); // earlier steps made them
  if (hasBranches && step.op !== "Merge" && isDead(step, inputs, slots)) return step.outputs.map(() => dead);
  try {
    return step.run(inputs);
  } catch (cause) {
    return failAtNode(step, cause);
  }
}

function isSettled(outputs: Started): outputs is Outputs {
  return !(outputs instanceof Promise) && !("next" in outputs);
}

/** The outputs of a step that may have to wait. */
function* settle(step: Step, started: Exclude<Started, Outputs>, device: Device): Running<Outputs> {
  try {
    return started instanceof Promise ? ((yield started) as Outputs) : yield* started; // what it resolves to
  } catch (cause) {
    // Where nobody waits any more, it comes all the same.
    if (started instanceof Promise) started.then((late) => releaseAll([late].flat(), device)).catch(() => {});
    return failAtNode(step, cause);
  }
}

function isDead({ controls }: Step, inputs: readonly Value[], slots: readonly (Value | undefined)[]): boolean {
  return inputs.includes(dead) || controls.some((slot) => slots[slot] === dead);
}

/** Puts the outputs into their slots, and frees what is no longer needed. */
function place(step: Step, outputs: Outputs, slots: (Value | undefined)[], device: Device): void {
  const all = Array.isArray(outputs) ? (outputs as readonly Value[]) : [outputs as Value];
  if (all.length < step.outputs.length) {
    releaseAll(all, device);
    const message = `expected ${step.outputs.length} outputs of ${step.op}, got ${all.length}`;
    failAtNode(step, new InferenceError("unsupported", `${message}; export the model without the others`));
  }
  for (const [index, value] of all.entries()) {
    const slot = step.outputs[index] ?? -1;
    if (slot < 0) release(value, device);
    else slots[slot] = value;
  }
  for (const slot of step.frees) {
    const value = slots[slot];
    if (value !== undefined) release(value, device);
    slots[slot] = undefined;
  }
}

function releaseAll(values: readonly Value[], device: Device): void {
  for (const value of values) release(value, device);
}
