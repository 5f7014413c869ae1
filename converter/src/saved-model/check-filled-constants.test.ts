import { expect, test } from "vitest";
import { encodeProto } from "../../testing/encode-proto.ts";
import { checkFilledConstants } from "./check-filled-constants.ts";
import { decode } from "./messages.ts";

/** A graph of constants of 16 MiB each, given as one element, within attributes of a function's node. */
function graphOf(count: number, dtype: number, listed: number) {
  const shape = encodeProto([2, encodeProto([1, dtype === 7 ? 2 ** 18 : 2 ** 22])]);
  const values = Array.from({ length: listed }, () => [5, { float: 1 }] as const);
  const tensor = encodeProto([1, dtype], [2, shape], ...values);
  const attr = encodeProto([1, "value"], [2, encodeProto([8, tensor])]);
  const node = encodeProto([1, "c"], [2, "Const"], [5, attr]);
  const body = encodeProto(...Array.from({ length: count }, () => [3, node] as const));
  return decode("GraphDef", encodeProto([2, encodeProto([1, body])]), "test");
}

test("checkFilledConstants refuses small files with constants that fill memory together", () => {
  for (const dtype of [1, 7]) {
    expect(() => checkFilledConstants(graphOf(8, dtype, 1), "test")).not.toThrow();
    expect(() => checkFilledConstants(graphOf(9, dtype, 1), "test")).toThrow(
      expect.objectContaining({ code: "data-loss" }),
    );
  }
});

test("checkFilledConstants doesn't count what stands in the file", () => {
  const shape = encodeProto([2, encodeProto([1, 3])]);
  const listed = encodeProto([1, 1], [2, shape], [5, { float: 1 }], [5, { float: 2 }], [5, { float: 3 }]);
  const attr = encodeProto([1, "value"], [2, encodeProto([8, listed])]);
  const node = encodeProto([1, "c"], [2, "Const"], [5, attr]);
  expect(() => checkFilledConstants(decode("GraphDef", encodeProto([1, node]), "test"), "test")).not.toThrow();
});
