import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Device } from "./device.ts";

/** A list of tensors, never changed once made; `refs` counts the values that are this list. */
export interface TensorList {
  readonly kind: "list";
  readonly elements: readonly (TensorInfo | null)[];
  readonly dtype: TensorInfo["dtype"];
  /** −1 where a dimension is free; undefined where the rank is. */
  readonly elementShape: readonly number[] | undefined;
  refs: number;
}

/** A lookup table. It belongs to the model, not to a run. */
export interface Table {
  readonly kind: "table";
  readonly entries: Map<string | number, string | number>;
}

/** What an output is that wasn't computed, because the branch that it belongs to wasn't taken. */
export const dead = { kind: "dead" } as const;

/** What passes along an edge of a graph. Tensors are counted references to the device's memory. */
export type Value = TensorInfo | TensorList | Table | typeof dead;

export function isTensor(value: Value): value is TensorInfo {
  return "dataId" in value;
}

/** Counts one more holder of a value. */
export function retain<V extends Value>(value: V, device: Device): V {
  if (isTensor(value)) device.backend.incRef(value.dataId);
  else if (value.kind === "list") value.refs++;
  return value;
}

/** Counts one holder less; the last one frees it. */
export function release(value: Value, device: Device): void {
  if (isTensor(value)) device.backend.disposeData(value.dataId);
  else if (value.kind === "list" && --value.refs === 0) {
    for (const element of value.elements) if (element) release(element, device);
  }
}
