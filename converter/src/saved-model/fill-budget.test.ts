import { expect, test } from "vitest";
import { encodeProto } from "../../testing/encode-proto.ts";
import { graphReader } from "./graph-def.ts";
import { decode } from "./messages.ts";

/** A graph of constants of 16 MiB each, given as one element. */
function graphOf(count: number, dtype: number) {
  const shape = encodeProto([2, encodeProto([1, dtype === 7 ? 2 ** 18 : 2 ** 22])]);
  const tensor = encodeProto([1, dtype], [2, shape], [5, { float: 1 }]);
  const attr = encodeProto([1, "value"], [2, encodeProto([8, tensor])]);
  const names = Array.from({ length: count }, (_, index) => `c${index}`);
  const nodes = names.map((name) => [1, encodeProto([1, name], [2, "Const"], [5, attr])] as const);
  return graphReader(decode("GraphDef", encodeProto(...nodes), "test"), "test")(names);
}

test("small files with constants that fill memory together are refused", () => {
  for (const dtype of [1, 7]) {
    expect(() => graphOf(8, dtype)).not.toThrow();
    expect(() => graphOf(9, dtype)).toThrow(expect.objectContaining({ code: "data-loss" }));
  }
});
