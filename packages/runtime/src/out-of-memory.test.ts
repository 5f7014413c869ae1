import { InferenceError, type Tensor } from "@nearside/core";
import { expect, onTestFinished, test } from "vitest";
import { runOp } from "../testing/run-op.ts";
import { openCpuBackend } from "./backends/cpu.ts";
import type { LoadedBackend } from "./backends/loaded-backend.ts";
import { openWasmBackend } from "./backends/wasm.ts";
import { asOutOfMemory } from "./out-of-memory.ts";

const value: Tensor = { dtype: "float32", shape: [], data: Float32Array.of(3) };
const fill = (backend: LoadedBackend, ...shape: number[]) => {
  const dims: Tensor = { dtype: "int32", shape: [shape.length], data: Int32Array.from(shape) };
  return runOp({ op: "Fill", inputs: [dims, value], outputs: ["float32"] }, backend);
};

test.each([
  ["cpu", "beyond any memory", [2 ** 20, 2 ** 20], openCpuBackend],
  ["wasm", "beyond any memory", [2 ** 20, 2 ** 20], openWasmBackend],
  ["wasm", "of 2³² + 16 bytes, which 32 bits hold as 16", [2 ** 30 + 4], openWasmBackend],
] as const)("on %s a tensor %s is out-of-memory, and the backend goes on", async (_name, _size, shape, open) => {
  const backend = await open();
  onTestFinished(() => backend.close());
  const { tensors } = backend.memory();
  await expect(fill(backend, ...shape)).rejects.toMatchObject({ code: "out-of-memory" });
  expect(backend.memory().tensors).toBe(tensors);
  const [small] = await fill(backend, 2, 3);
  expect(small).toEqual({ dtype: "float32", shape: [2, 3], data: new Float32Array(6).fill(3) });
});

test.each([
  ["Array buffer allocation failed", true],
  ["Invalid typed array length: 1099511627776", true],
  ["createBuffer failed, size (2147483648) is too large for the implementation", true],
  ["Invalid typed array length: 25", false],
  ["Maximum call stack size exceeded", false],
])("a RangeError that says %j means a lack of memory: %s", (message, isMemory) => {
  const thrown = new InferenceError("internal", "node x", { cause: new RangeError(message) });
  expect(asOutOfMemory(thrown)).toMatchObject({ code: isMemory ? "out-of-memory" : "internal" });
});

test("a message about memory that isn't of a RangeError is nobody's memory", () => {
  const thrown = new Error("out of memory", { cause: "out of memory" });
  expect(asOutOfMemory(thrown)).toBe(thrown);
});
