import { InferenceError } from "@nearside/core";
import type { Device } from "./device.ts";
import type { Plan, Step } from "./plan.ts";
import { dead, release, retain, type Value } from "./value.ts";

/**
 * Runs the steps of a plan in order. Borrows its inputs; the outputs are the caller's to release. Only a step that must
 * wait for the device is awaited. Whatever fails, nothing of the run is left on the device.
 */
export async function runPlan(plan: Plan, inputs: readonly Value[], device: Device): Promise<readonly Value[]> {
  const slots = plan.slots.slice();
  for (const [index, slot] of plan.inputs.entries()) slots[slot] = retain(inputs[index] as Value, device); // all are given
  try {
    for (const step of plan.steps) {
      const outputs = runStep(plan, step, slots);
      place(step, outputs instanceof Promise ? await outputs : outputs, slots, device);
    }
    return plan.outputs.map((slot) => retain(slots[slot] as Value, device)); // computed by a step, or a constant
  } finally {
    for (const [slot, value] of slots.entries()) {
      if (value !== undefined && value !== plan.slots[slot]) release(value, device);
    }
  }
}

type Outputs = ReturnType<Step["run"]>;

function runStep({ hasBranches }: Plan, step: Step, slots: readonly (Value | undefined)[]): Outputs {
  const inputs = step.inputs.map((slot) => slots[slot] as Value); // earlier steps made them
  if (hasBranches && step.op !== "Merge" && isDead(step, inputs, slots)) return step.outputs.map(() => dead);
  try {
    const outputs = step.run(inputs);
    return outputs instanceof Promise ? outputs.catch((cause) => fail(step, cause)) : outputs;
  } catch (cause) {
    return fail(step, cause);
  }
}

function isDead({ controls }: Step, inputs: readonly Value[], slots: readonly (Value | undefined)[]): boolean {
  return inputs.includes(dead) || controls.some((slot) => slots[slot] === dead);
}

/** Puts the outputs into their slots, and frees what is no longer needed. */
function place(step: Step, outputs: Awaited<Outputs>, slots: (Value | undefined)[], device: Device): void {
  const all = Array.isArray(outputs) ? (outputs as readonly Value[]) : [outputs as Value];
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

/** Says where in the graph it went wrong. */
function fail({ name, op }: Step, cause: unknown): never {
  if (cause instanceof InferenceError && cause.code !== "internal") throw cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new InferenceError("internal", `node "${name}" (${op}): ${reason}`, { cause });
}
