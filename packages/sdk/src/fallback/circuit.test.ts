import { beforeEach, describe, expect, test } from "vitest";
import { Circuit } from "./circuit.ts";

describe("a circuit", () => {
  let nowMs: number;
  let circuit: Circuit;
  beforeEach(() => {
    nowMs = 0;
    circuit = new Circuit(() => nowMs);
  });

  test("lets all in while nothing fails", () => {
    expect([circuit.enter(), circuit.enter()]).toEqual([true, true]);
  });

  test("lets nobody in after a failure, then one, and all once that worked", () => {
    circuit.fail();
    nowMs = 999;
    expect(circuit.enter()).toBe(false);
    nowMs = 1000;
    expect([circuit.enter(), circuit.enter()]).toEqual([true, false]);
    circuit.succeed();
    expect([circuit.enter(), circuit.enter()]).toEqual([true, true]);
  });

  test("stays open twice as long after each further failure, and begins anew after a success", () => {
    circuit.fail();
    nowMs = 1000;
    expect(circuit.enter()).toBe(true);
    circuit.fail();
    nowMs = 2999;
    expect(circuit.enter()).toBe(false);
    nowMs = 3000;
    expect(circuit.enter()).toBe(true);
    circuit.succeed();
    circuit.fail();
    nowMs = 4000;
    expect(circuit.enter()).toBe(true);
  });

  test("stays open for as long as was asked for", () => {
    circuit.fail(5000);
    nowMs = 4999;
    expect(circuit.enter()).toBe(false);
    nowMs = 5000;
    expect(circuit.enter()).toBe(true);
  });

  test("lets the next one try where nothing came of a try", () => {
    circuit.fail();
    nowMs = 1000;
    expect(circuit.enter()).toBe(true);
    circuit.leave();
    expect(circuit.enter()).toBe(true);
  });
});
