import { describe, expect, test } from "vitest";
import { fakeSession } from "../../testing/fake-repository.ts";
import { createStatistics, withStatistics } from "./run-statistics.ts";

const signature = { inputs: {}, outputs: {} };
const rows = (count: number) =>
  ({ x: { dtype: "float32", shape: [count, 2], data: new Float32Array(2 * count) } }) as const;

describe("statistics", () => {
  test("count runs, their instances and what failed", async () => {
    const statistics = createStatistics();
    const session = fakeSession(signature, (inputs) => {
      if (inputs.x?.shape[0] === 0) throw new Error("it broke");
      return {};
    });
    const counted = withStatistics(statistics.countingExecutions(session), statistics);
    await counted.run(rows(3));
    await counted.run(rows(4));
    await expect(counted.run(rows(0))).rejects.toThrow("it broke");
    expect(statistics).toMatchObject({
      success: { count: 2 },
      fail: { count: 1 },
      compute: { count: 2 },
      inferenceCount: 7,
    });
    expect(statistics.success.nanoseconds).toBeGreaterThanOrEqual(statistics.compute.nanoseconds);
    expect(statistics.lastInferenceMs).toBeGreaterThan(0);
    statistics.reset();
    expect(statistics).toMatchObject({
      success: { count: 0 },
      fail: { count: 0 },
      inferenceCount: 0,
      lastInferenceMs: 0,
    });
  });
});
