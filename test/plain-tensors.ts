import { type DType, dtypes, type Tensors } from "@nearside/core";

/** Tensors as JSON can carry them between the test and the page; int64 as decimal strings. */
export type PlainTensors = Record<string, { dtype: DType; shape: readonly number[]; data: readonly unknown[] }>;

export function toPlainTensors(tensors: Tensors): PlainTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
      const values = Array.from(data as ArrayLike<unknown>, (value) =>
        typeof value === "bigint" ? `${value}` : value,
      );
      return [name, { dtype, shape, data: values }];
    }),
  );
}

export function fromPlainTensors(plain: PlainTensors): Tensors {
  return Object.fromEntries(
    Object.entries(plain).map(([name, { dtype, shape, data }]) => {
      if (dtype === "string") return [name, { dtype, shape, data }];
      if (dtype === "int64" || dtype === "uint64") {
        return [name, { dtype, shape, data: dtypes[dtype].array.from(data.map((value) => BigInt(String(value)))) }];
      }
      return [name, { dtype, shape, data: dtypes[dtype].array.from(data as number[]) }];
    }),
  ) as Tensors; // each dtype with the array of its row
}
