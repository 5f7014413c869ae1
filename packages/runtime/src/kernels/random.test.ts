import type { Tensor } from "@nearside/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomOps } from "../../testing/random-ops.ts";
import { runOp } from "../../testing/run-op.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWasmBackend } from "../backends/wasm.ts";

// By chance, one of the means is that far off less than once in 10¹² runs.
const standardErrors = 8;

describe.each([
  { name: "cpu", open: openCpuBackend },
  { name: "wasm", open: openWasmBackend },
])("on $name", ({ open }) => {
  let backend: LoadedBackend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend?.close());

  for (const { op, about = "", attrs, inputs, output, isPossible, mean, deviation } of randomOps) {
    test(`${op} draws from its distribution${about && `, ${about}`}, and other numbers each time`, async () => {
      const draw = async () => {
        const node = { op, inputs, outputs: [output.dtype], ...(attrs && { attrs }) };
        const [drawn] = await runOp(node, backend);
        return drawn as Tensor; // it has one output
      };
      const [drawn, again] = [await draw(), await draw()];
      expect({ dtype: drawn.dtype, shape: drawn.shape }).toEqual(output);
      const values = Array.from(drawn.data, Number);
      expect(values.filter((value) => !isPossible(value))).toEqual([]);
      const squares = values.map((value) => (value - mean) ** 2);
      for (const [numbers, expected] of [[values, mean] as const, [squares, deviation ** 2] as const]) {
        const { mean: measured, standardError } = meanOf(numbers);
        expect(Math.abs(measured - expected)).toBeLessThanOrEqual(standardErrors * standardError);
      }
      expect(again.data).not.toEqual(drawn.data);
    });
  }
});

function meanOf(values: readonly number[]) {
  const average = (numbers: readonly number[]) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const mean = average(values);
  return { mean, standardError: Math.sqrt(average(values.map((value) => (value - mean) ** 2)) / values.length) };
}
