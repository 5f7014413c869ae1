import { expect, test } from "vitest";
import { InferenceError } from "./errors.ts";
import { type ImageInput, withoutImages } from "./image-input.ts";
import { RunState } from "./run-state.ts";
import type { StatePlace } from "./state-place.ts";
import type { Tensor } from "./tensor.ts";

const spec = { dtype: "float32", shape: [1] } as const;
const signature = { inputs: { x: spec, h: spec }, outputs: { y: spec, hOut: spec } };
const names = { h: "hOut" };
const scalar = (value: number): Tensor => ({ dtype: "float32", shape: [1], data: Float32Array.of(value) });
const numberOf = (tensor: Tensor | undefined) => Number(tensor?.data[0]);

/** A place on a device, which computes hOut = x − h and y = 2·hOut, and what was asked of it. */
function devicePlace({ failsFrom = Number.POSITIVE_INFINITY, cannotRead = false } = {}) {
  const record = { runs: 0, reads: 0, held: 0, begun: [] as number[] };
  const place: StatePlace = {
    signature,
    async hold(_names, values) {
      let h = numberOf(values[0]);
      record.held++;
      record.begun.push(h);
      return {
        isHere: false,
        async run(inputs) {
          if (++record.runs >= failsFrom) throw new InferenceError("device-lost", "the device went away");
          h = numberOf(withoutImages(inputs).x) - h;
          return { y: scalar(2 * h) };
        },
        async read() {
          record.reads++;
          if (cannotRead) throw new InferenceError("device-lost", "the device went away");
          return [scalar(h)];
        },
        async release() {
          record.held--;
        },
      };
    },
  };
  return { place, record };
}

/** An image of so many pixels, of which nobody reads any. */
function picture(width: number, height: number): ImageInput {
  const pixels = { width, height, close: () => {} };
  const { dtype, shape } = { dtype: "float32", shape: [1, 1, 1, 3] } as const;
  const look = { fit: "cover", layout: "nhwc", channels: "rgb", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } as const;
  return { dtype, shape, pixels, ...look };
}

/** Runs these steps, and gives what the state holds after each. */
async function runSteps(state: RunState, place: StatePlace, from: number, to: number): Promise<number[]> {
  const seen: number[] = [];
  for (let step = from; step < to; step++) seen.push(numberOf((await state.run(place, { x: scalar(step) }, {})).y) / 2);
  return seen;
}

/** What it should hold. */
function reference(to: number): number[] {
  let h = 0;
  return Array.from({ length: to }, (_, step) => (h = step - h));
}

test("RunState leaves its values at the place, and reads them every 16 runs", async () => {
  const { place, record } = devicePlace();
  const state = new RunState(names);
  expect(await runSteps(state, place, 0, 50)).toEqual(reference(50));
  await state.release();
  expect(record).toEqual({ runs: 50, reads: 3, held: 0, begun: [0] });
});

test.each([
  ["tensors", { dtype: "float32", shape: [1e6, 2], data: new Float32Array(2e6) } as const],
  ["images", picture(2000, 1000)],
])("RunState reads its values sooner where %s of 8 MB would be kept until then", async (_name, x) => {
  const { place, record } = devicePlace();
  const anyShape = { dtype: "float32", shape: null } as const;
  const blind: StatePlace = {
    signature: { inputs: { ...signature.inputs, x: anyShape }, outputs: signature.outputs },
    hold: async (names, values) => ({ ...(await place.hold(names, values)), run: async () => ({}) }),
  };
  const state = new RunState(names);
  for (let step = 0; step < 8; step++) await state.run(blind, { x }, {});
  await state.release();
  expect(record.reads).toBe(2);
});

test("RunState goes on at another place from what was saved, and runs again only what came since", async () => {
  const [first, second] = [devicePlace({ failsFrom: 21 }), devicePlace()];
  const state = new RunState(names);
  expect(await runSteps(state, first.place, 0, 20)).toEqual(reference(20));
  await expect(runSteps(state, first.place, 20, 21)).rejects.toThrow("went away");
  expect(await runSteps(state, second.place, 20, 25)).toEqual(reference(25).slice(20));
  expect(second.record).toMatchObject({ runs: 4 + 5, begun: [reference(16)[15]] });
  expect(first.record.held).toBe(0);
});

test("RunState that can't be read loses nothing: it runs again what is not saved", async () => {
  const { place, record } = devicePlace({ cannotRead: true });
  const state = new RunState(names);
  expect(await runSteps(state, place, 0, 20)).toEqual(reference(20));
  expect(record.begun.every((value) => value === 0)).toBe(true);
  await state.release();
  expect(record.held).toBe(0);
});

test("RunState asks for a first value whose shape the signature leaves open", async () => {
  const open = { dtype: "float32", shape: [1, null] } as const;
  const { place } = devicePlace();
  const other = { ...place, signature: { inputs: { ...signature.inputs, h: open }, outputs: signature.outputs } };
  await expect(new RunState(names).run(other, { x: scalar(1) }, {})).rejects.toThrow("give it as initial.h");
});
