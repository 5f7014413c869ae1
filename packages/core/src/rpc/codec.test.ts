import { expect, test } from "vitest";
import type { Tensors } from "../tensor.ts";
import { decodeTensors, encodeTensors } from "./codec.ts";

const tensors: Tensors = {
  image: { dtype: "float32", shape: [1, 2], data: Float32Array.of(0.5, Number.NaN) },
  flag: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }, // leaves the next one unaligned
  id: { dtype: "int64", shape: [], data: BigInt64Array.of(-(2n ** 62n)) },
  words: { dtype: "string", shape: [3], data: ["", "größer", "a\0b"] },
  none: { dtype: "float64", shape: [0, 4], data: new Float64Array(0) },
  __proto__name: { dtype: "uint8", shape: [1], data: Uint8Array.of(7) },
};

test("decodeTensors reads what encodeTensors wrote, and the other fields", () => {
  const { body, headerBytes } = encodeTensors("inputs", tensors, { id: "42" });
  expect(decodeTensors("inputs", body, headerBytes)).toEqual({ tensors, fields: { id: "42" } });
});

test("encodeTensors writes the layout of the protocol", () => {
  const { body, headerBytes } = encodeTensors("outputs", {
    y: { dtype: "int32", shape: [2], data: Int32Array.of(1, -1) },
  });
  const header = JSON.parse(new TextDecoder().decode(body.subarray(0, headerBytes)));
  const parameters = { binary_data_size: 8 };
  expect(header).toEqual({ outputs: [{ name: "y", shape: [2], datatype: "INT32", parameters }] });
  expect([...body.subarray(headerBytes)]).toEqual([1, 0, 0, 0, 255, 255, 255, 255]);
});

test("encodeTensors refuses complex64, which the protocol has no name for", () => {
  const z = { dtype: "complex64", shape: [1], data: new Float32Array(2) } as const;
  expect(() => encodeTensors("inputs", { z })).toThrow(expect.objectContaining({ code: "unsupported" }));
});

function withHeader(header: unknown, data: Uint8Array = new Uint8Array(0)): [Uint8Array, number] {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const body = new Uint8Array(text.length + data.length);
  body.set(text);
  body.set(data, text.length);
  return [body, text.length];
}

const entry = { name: "x", datatype: "FP32", shape: [1], parameters: { binary_data_size: 4 } };
const four = new Uint8Array(4);

test.each([
  ["a header longer than the body", [new Uint8Array(3), 4], "0 to 3"],
  ["a negative header length", [new Uint8Array(3), -1], "got -1"],
  ["a header length that is no number", [new Uint8Array(3), Number.NaN], "got NaN"],
  ["a header that is not JSON", withHeader("{"), "bytes of JSON"],
  ["a header that is no object", withHeader("7"), "a JSON object"],
  ["no list of tensors", withHeader({ inputs: {} }), "a list of tensors"],
  ["an entry that is null", withHeader({ inputs: [null] }), "inputs.name"],
  ["an unknown datatype", withHeader({ inputs: [{ ...entry, datatype: "FP4" }] }, four), "got FP4"],
  ["a negative dimension", withHeader({ inputs: [{ ...entry, shape: [-1] }] }, four), "got [-1]"],
  ["a shape that overflows", withHeader({ inputs: [{ ...entry, shape: [2 ** 40, 2 ** 40] }] }, four), "fits in memory"],
  ["no size", withHeader({ inputs: [{ ...entry, parameters: undefined }] }, four), "binary_data_size"],
  ["a size beyond the body", withHeader({ inputs: [entry] }), "4 bytes, got 0 left"],
  [
    "a size that is not the shape's",
    withHeader({ inputs: [{ ...entry, shape: [2] }] }, four),
    "8 bytes for [2], got 4",
  ],
  ["the same name twice", withHeader({ inputs: [entry, entry] }, new Uint8Array(8)), "each name once"],
  ["bytes left over", withHeader({ inputs: [entry] }, new Uint8Array(5)), "body: expected"],
  [
    "a string that is cut off",
    withHeader({ inputs: [{ ...entry, datatype: "BYTES" }] }, Uint8Array.of(9, 0, 0, 0)),
    "string 0",
  ],
] as const)("decodeTensors refuses %s", (_what, [body, headerBytes], message) => {
  const run = () => decodeTensors("inputs", body as Uint8Array, headerBytes as number);
  expect(run).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  expect(run).toThrow(message);
});
