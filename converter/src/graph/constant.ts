import type { Node, TensorValue } from "./graph.ts";

/** A `Const` node that holds `value`. */
export function constant(name: string, value: TensorValue): Node {
  return { name, op: "Const", inputs: [], controls: [], attrs: { dtype: { type: value.dtype } }, value };
}
