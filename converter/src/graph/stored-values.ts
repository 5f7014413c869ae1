import type { StoredValue, TensorValue } from "./graph.ts";

/** What of a value lies in the checkpoint. */
export function storedValues(value: TensorValue): readonly StoredValue[] {
  if (value.kind === "stored") return [value];
  return value.kind === "computed" ? value.operands.flatMap(storedValues) : [];
}
