import { expect, test } from "vitest";
import { decodeMetadata, encodeMetadata } from "./metadata.ts";
import type { SessionInfo } from "./protocol.ts";

const info: SessionInfo = {
  backend: "wasm",
  keepsState: true,
  signature: {
    inputs: { image: { dtype: "float32", shape: [null, 28, 28, 1] }, any: { dtype: "string", shape: null } },
    outputs: { scalar: { dtype: "int64", shape: [] } },
  },
};

test("decodeMetadata reads what encodeMetadata wrote, through JSON", () => {
  expect(decodeMetadata(JSON.parse(JSON.stringify(encodeMetadata(info))), "there")).toEqual(info);
});

test("encodeMetadata writes a free dimension as the protocol does", () => {
  const [image] = encodeMetadata(info).inputs;
  expect(image).toEqual({ name: "image", datatype: "FP32", shape: [-1, 28, 28, 1] });
});

const x = { name: "x", datatype: "FP32", shape: [1] };

test.each([
  ["null", null],
  ["another server's metadata", { name: "m", inputs: [x], outputs: [x] }],
  ["inputs that are no list", { backend: "cpu", inputs: {}, outputs: [] }],
  ["a tensor that is null", { backend: "cpu", inputs: [null], outputs: [] }],
  ["a tensor without a name", { backend: "cpu", inputs: [{ ...x, name: 1 }], outputs: [] }],
  ["an unknown datatype", { backend: "cpu", inputs: [], outputs: [{ ...x, datatype: "FP4" }] }],
  ["a shape of something else", { backend: "cpu", inputs: [], outputs: [{ ...x, shape: ["1"] }] }],
])("decodeMetadata refuses %s, naming the place", (_what, value) => {
  expect(() => decodeMetadata(value, "http://there")).toThrow(expect.objectContaining({ code: "unsupported" }));
  expect(() => decodeMetadata(value, "http://there")).toThrow("http://there");
});
