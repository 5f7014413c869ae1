import type { Tensors } from "@nearside/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { SharedMemory } from "./shared-memory.ts";
import { loadTensors, storedBytes, storeTensors } from "./stored-tensors.ts";

const large = {
  dtype: "float32",
  shape: [100, 100],
  data: Float32Array.from({ length: 10_000 }, (_, i) => i),
} as const;
const ids = { dtype: "int64", shape: [10_000], data: new BigInt64Array(10_000).fill(2n ** 60n) } as const;
const small = { dtype: "int32", shape: [2], data: Int32Array.of(1, 2) } as const;
const words = { dtype: "string", shape: [2], data: ["a", "b"] } as const;

function createMemory(): SharedMemory {
  const memory = SharedMemory.create() as SharedMemory;
  onTestFinished(() => memory.close());
  return memory;
}

describe.skipIf(process.platform !== "linux")("tensors in shared memory", () => {
  test("come back as they were, the small ones and strings beside them", () => {
    const memory = createMemory();
    const tensors: Tensors = { small, large, words, ids };
    const passed = storeTensors(memory.fd, memory.lease(storedBytes(tensors)), tensors);
    expect(passed.small).toBe(small);
    expect(passed.words).toBe(words);
    expect(passed.large).not.toHaveProperty("data");
    expect(loadTensors(memory.fd, passed)).toEqual(tensors);
  });

  test("take nothing of a part that is another's", () => {
    const memory = createMemory();
    const other = { ...large, data: large.data.map((value) => -value) };
    const both = [large, other].map((x) => storeTensors(memory.fd, memory.lease(storedBytes({ x })), { x }));
    expect(both.map((passed) => loadTensors(memory.fd, passed))).toEqual([{ x: large }, { x: other }]);
  });

  test("stay as they are where the part has no room for them", () => {
    const memory = createMemory();
    const passed = storeTensors(memory.fd, memory.lease(storedBytes({ large })), { large, ids });
    expect(passed.large).not.toHaveProperty("data");
    expect(passed.ids).toBe(ids);
    expect(loadTensors(memory.fd, passed)).toEqual({ large, ids });
  });

  test("are in parts that are given away again", () => {
    const memory = createMemory();
    const first = memory.lease(50_000);
    const second = memory.lease(50_000);
    expect(second.at).not.toBe(first.at);
    memory.release(first);
    expect(memory.lease(40_000)).toEqual(first);
  });
});
