import { elementCount } from "@nearside/core";
import { damaged } from "../damaged.ts";
import { type DataType, dataTypeFromNumber, dataTypes } from "../graph/data-type.ts";
import type { LiteralValue } from "../graph/graph.ts";
import { createFillBudget, type FillBudget } from "./fill-budget.ts";
import type { Proto } from "./messages.ts";
import { shapeFromProto } from "./shape.ts";

/**
 * The value of a TensorProto, or undefined where its dtype is one that no constant can hold (a resource).
 * Raw bytes are taken as they are; of a list with fewer values than the shape needs, the last one fills the rest.
 * Throws `data-loss`, naming `where`, where bytes and shape don't agree.
 */
export function literalFromProto(
  proto: Proto<"TensorProto">,
  where: string,
  budget: FillBudget = createFillBudget(where),
): LiteralValue | undefined {
  const dtype = dataTypeFromNumber(proto.dtype);
  const shape = (shapeFromProto(proto.tensorShape) ?? []).map((size) => size ?? -1);
  const count = elementCount(shape);
  if (shape.some((size) => size < 0) || !Number.isSafeInteger(count)) {
    throw damaged(where, "a constant of known shape", `[${shape}]`);
  }
  budget.spend(filledBytes(proto));
  if (dtype === "DT_STRING") {
    const listed = proto.stringVal.length;
    if (listed > count) throw damaged(where, `at most ${count} strings`, String(listed));
    return { kind: "literal", dtype, shape, data: fill(proto.stringVal, count, new Uint8Array(0)) };
  }
  const elementBytes = dataTypes[dtype].bytes;
  if (elementBytes === null) return undefined;
  const expected = count * elementBytes;
  if (proto.tensorContent.length > 0) {
    if (proto.tensorContent.length === expected) return { kind: "literal", dtype, shape, data: proto.tensorContent };
    throw damaged(where, `${expected} bytes for ${dtype} [${shape}]`, String(proto.tensorContent.length));
  }
  const listed = listedBytes(proto, dtype);
  if (listed === undefined) return undefined;
  if (listed.length > expected) throw damaged(where, `at most ${expected} bytes of values`, String(listed.length));
  return { kind: "literal", dtype, shape, data: fillBytes(listed, expected, elementBytes) };
}

/**
 * How much memory the value of a TensorProto takes where less than that stands in the file, which may say one element
 * and a huge shape; 0 where all elements are listed.
 */
function filledBytes(proto: Proto<"TensorProto">): number {
  const dtype = dataTypeFromNumber(proto.dtype);
  const count = (proto.tensorShape?.dim ?? []).reduce((product, { size }) => product * Math.max(0, size), 1);
  const bytes = dataTypes[dtype].bytes ?? (dtype === "DT_STRING" ? bytesPerString : 0);
  return proto.tensorContent.length > 0 || listedCount(proto) >= count ? 0 : count * bytes;
}

function listedCount({
  floatVal,
  doubleVal,
  intVal,
  stringVal,
  int64Val,
  boolVal,
  halfVal,
  ...rest
}: Proto<"TensorProto">) {
  const { scomplexVal, dcomplexVal, uint32Val, uint64Val } = rest;
  const lists = [floatVal, doubleVal, intVal, stringVal, int64Val, boolVal, halfVal, uint32Val, uint64Val];
  return Math.max(...lists.map(({ length }) => length), scomplexVal.length / 2, dcomplexVal.length / 2);
}

const bytesPerString = 64;

/** Which list of a TensorProto holds the values of each dtype, and the array that makes them bytes. */
const lists: Partial<Record<DataType, (proto: Proto<"TensorProto">) => ArrayBufferView>> = {
  DT_FLOAT: ({ floatVal }) => Float32Array.from(floatVal),
  DT_DOUBLE: ({ doubleVal }) => Float64Array.from(doubleVal),
  DT_INT32: ({ intVal }) => Int32Array.from(intVal),
  DT_UINT8: ({ intVal }) => Uint8Array.from(intVal),
  DT_INT16: ({ intVal }) => Int16Array.from(intVal),
  DT_INT8: ({ intVal }) => Int8Array.from(intVal),
  DT_UINT16: ({ intVal }) => Uint16Array.from(intVal),
  DT_COMPLEX64: ({ scomplexVal }) => Float32Array.from(scomplexVal),
  DT_COMPLEX128: ({ dcomplexVal }) => Float64Array.from(dcomplexVal),
  DT_INT64: ({ int64Val }) => BigInt64Array.from(int64Val),
  DT_BOOL: ({ boolVal }) => Uint8Array.from(boolVal, Number),
  DT_HALF: ({ halfVal }) => Uint16Array.from(halfVal),
  DT_BFLOAT16: ({ halfVal }) => Uint16Array.from(halfVal),
  DT_UINT32: ({ uint32Val }) => Uint32Array.from(uint32Val),
  DT_UINT64: ({ uint64Val }) => BigUint64Array.from(uint64Val),
};

function listedBytes(proto: Proto<"TensorProto">, dtype: DataType): Uint8Array | undefined {
  const view = lists[dtype]?.(proto);
  return view === undefined ? undefined : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function fillBytes(listed: Uint8Array, length: number, elementBytes: number): Uint8Array {
  if (listed.length === length) return listed;
  const bytes = new Uint8Array(length);
  bytes.set(listed);
  // The last element once, then what is there already, twice as much each time.
  const start = Math.max(0, listed.length - elementBytes);
  for (let at = listed.length; listed.length > 0 && at < length; at += at - start) bytes.copyWithin(at, start, at);
  return bytes;
}

function fill<T>(values: readonly T[], count: number, zero: T): readonly T[] {
  return Array.from({ length: count }, (_, index) => values[Math.min(index, values.length - 1)] ?? zero);
}
