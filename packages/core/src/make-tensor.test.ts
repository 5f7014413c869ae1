import { expect, test } from "vitest";
import { tensor } from "./make-tensor.ts";

test("tensor takes nested numbers as float32, in row-major order", () => {
  const nested = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  expect(tensor(nested)).toEqual({ dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  expect(tensor(7)).toEqual({ dtype: "float32", shape: [], data: Float32Array.of(7) });
});

test("tensor finds the dtype of strings, booleans and bigints, or takes the one it is given", () => {
  expect(tensor(["a", "b"])).toEqual({ dtype: "string", shape: [2], data: ["a", "b"] });
  expect(tensor([[true], [false]])).toEqual({ dtype: "bool", shape: [2, 1], data: Uint8Array.of(1, 0) });
  expect(tensor([2n ** 40n])).toEqual({ dtype: "int64", shape: [1], data: BigInt64Array.of(2n ** 40n) });
  expect(tensor([1, 2], { dtype: "int64" })).toEqual({ dtype: "int64", shape: [2], data: BigInt64Array.of(1n, 2n) });
});

test("tensor takes an array of numbers as it is, without copying, in the shape it is given", () => {
  const data = Int32Array.of(1, 2, 3, 4, 5, 6);
  const made = tensor(data, { shape: [2, -1] });
  expect(made).toEqual({ dtype: "int32", shape: [2, 3], data });
  expect(made.data).toBe(data);
  expect(tensor(Uint8Array.of(1, 0), { dtype: "bool" }).dtype).toBe("bool");
});

test.each([
  [[[1, 2], [3]], "tensor[1]: expected a list of 2, got one of 1"],
  [[[1], 2], "tensor[1]: expected a list of 1, got 2"],
  [[1, [2]], "tensor[1]: expected an element, got a list of 1"],
  [[1, "2"], 'tensor: expected float32, got the string "2"'],
])("tensor says where %j is no tensor", (values, message) => {
  expect(() => tensor(values as number[])).toThrow(message);
});

test("tensor refuses a shape that the elements don't fill", () => {
  expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow("expected 4 values for float32 [2,2], got 3");
  expect(() => tensor([1, 2, 3], { shape: [2, -1] })).toThrow("whole numbers");
});
