import { expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { widenPorts } from "./widen-ports.ts";

test.each([
  ["DT_HALF", "DT_FLOAT"],
  ["DT_BFLOAT16", "DT_FLOAT"],
  ["DT_COMPLEX128", "DT_COMPLEX64"],
  ["DT_INT64", "DT_INT64"],
] as const)("widenPorts declares %s as %s", (dtype, expected) => {
  const before = graph([node("x", "Placeholder")], ["x"]);
  const ports = [...before.inputs, ...before.outputs].map((port) => ({ ...port, dtype }));
  const after = widenPorts({ ...before, inputs: ports, outputs: ports });
  expect([...after.inputs, ...after.outputs].map((port) => port.dtype)).toEqual(Array(4).fill(expected));
});
