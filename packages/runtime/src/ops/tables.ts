import { dtypes, InferenceError, type Tensor } from "@nearside/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type Device, makeTensor } from "../plan/device.ts";
import type { Ops } from "../plan/op.ts";
import { readPlain, writePlain } from "../plan/plain.ts";
import { isTensor, type Table, type Value } from "../plan/value.ts";

/** What fills a model's tables. */
export const tableFillers: ReadonlySet<string> = new Set([
  "InitializeTable",
  "InitializeTableV2",
  "LookupTableImport",
  "LookupTableImportV2",
]);

/** Lookups in a model's tables, and what fills them when it is loaded. */
export const tableOps: Ops = {
  ...Object.fromEntries([...tableFillers].map((op) => [op, { run: fill }])),
  LookupTableFind: { run: find },
  LookupTableFindV2: { run: find },
  LookupTableSize: { run: size },
  LookupTableSizeV2: { run: size },
};

type Inputs = readonly (Value | undefined)[];

/** Replaces what a table holds: `values[i]` for `keys[i]`. */
async function fill([handle, keys, values]: Inputs, _: unknown, __: unknown, device: Device): Promise<Table> {
  const table = tableOf(handle);
  const [from, to] = [await plainOf(keys, device), await plainOf(values, device)];
  if (from.shape[0] !== to.shape[0]) throw invalid(`${from.shape[0]} keys and ${to.shape[0]} values`);
  table.entries.clear();
  for (const [index, key] of Array.from(from.data as ArrayLike<string | number>).entries()) {
    table.entries.set(key, to.data[index] as string | number); // a value for each key
  }
  return table;
}

/** The value for each key; `missing` where the table has none. Same shape as the keys. */
async function find([handle, keys, missing]: Inputs, _: unknown, __: unknown, device: Device): Promise<TensorInfo> {
  const { entries } = tableOf(handle);
  const [asked, other] = [await plainOf(keys, device), await plainOf(missing, device)];
  const values = Array.from(asked.data as ArrayLike<string | number>, (key) => entries.get(key) ?? other.data[0]);
  return putBack({ ...other, shape: asked.shape }, values, device);
}

function size([handle]: Inputs, _: unknown, __: unknown, device: Device): TensorInfo {
  return makeTensor(device, Int32Array.of(tableOf(handle).entries.size), [], "int32");
}

function putBack({ dtype, shape }: Tensor, values: readonly unknown[], device: Device): TensorInfo {
  const data = dtype === "string" ? values : (dtypes[dtype].array as typeof Int32Array).from(values as number[]);
  return writePlain(device, { dtype, shape, data } as Tensor, "a table's values"); // of that dtype
}

async function plainOf(value: Value | undefined, device: Device): Promise<Tensor> {
  if (value === undefined || !isTensor(value)) throw invalid("expected a tensor, got another value");
  return await readPlain(device, value);
}

function tableOf(value: Value | undefined): Table {
  if (value !== undefined && !isTensor(value) && value.kind === "table") return value;
  throw invalid("expected a table, got another value");
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", `lookup table: ${message}`);
}
