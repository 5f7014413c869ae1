import type { Tensor } from "@nearside/core";
import { expect, test } from "vitest";
import { fakeSession } from "../../testing/fake-repository.ts";
import { runLoosely } from "./run-loosely.ts";

const column = { dtype: "float32", shape: [null, 1] } as const;
const echo = fakeSession({ inputs: { x: column }, outputs: { x: column } }, (inputs) => inputs);
const tensor = (...shape: number[]): Tensor => ({ dtype: "float32", shape, data: new Float32Array(3) });

test("runLoosely gives an input the last axes of size 1 that it lacks, and takes them from the outputs", async () => {
  let seen: readonly number[] = [];
  const session = fakeSession(echo.signature, (inputs) => {
    seen = inputs.x?.shape ?? [];
    return inputs;
  });
  expect((await runLoosely(session, { x: tensor(3) }, {})).x?.shape).toEqual([3]);
  expect(seen).toEqual([3, 1]);
});

test.each([[[3, 1]], [[1, 3]], [[3, 1, 1]]])("runLoosely leaves the shape %j alone", async (shape) => {
  expect((await runLoosely(echo, { x: tensor(...shape) }, {})).x?.shape).toEqual(shape);
});
