import { expect, test } from "vitest";
import { modelTypes } from "./model-types.ts";

test("modelTypes declares inputs and outputs with their dtypes and shapes", () => {
  const types = modelTypes({
    inputs: { image: { dtype: "float32", shape: [null, 28, 28, 1] } },
    outputs: { "class-id": { dtype: "int64", shape: null } },
  });
  expect(types).toContain('import type { Tensor } from "@nearside/core";');
  expect(types).toContain('    /** float32 [?,28,28,1] */\n    readonly image: Tensor<"float32">;');
  expect(types).toContain('    /** int64 […] */\n    readonly "class-id": Tensor<"int64">;');
});
