import { readSync, writeSync } from "node:fs";
import { type DType, dtypes, type Tensor, type Tensors } from "@nearside/core";
import type { Lease } from "./shared-memory.ts";

/** Tensors that are smaller go with the message, which is as fast. */
const minBytes = 32 * 1024;

/** A tensor whose data lies in the memory. */
export interface StoredTensor {
  readonly dtype: Exclude<DType, "string">;
  readonly shape: readonly number[];
  readonly at: number;
  readonly length: number;
}

/** Tensors by name, of which the large ones lie in the memory. */
export type PassedTensors = Readonly<Record<string, Tensor | StoredTensor>>;

/** How many bytes of memory the large ones of these tensors take; 0 where a message does. */
export function storedBytes(tensors: Tensors): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + (isLarge(data) ? data.byteLength : 0), 0);
}

/** Puts the large tensors into a part of the memory; what finds no room, there or in the machine, stays as it is. */
export function storeTensors(fd: number, { at, bytes }: Lease, tensors: Tensors): PassedTensors {
  let offset = at;
  const passed = Object.entries(tensors).map(([name, tensor]): [string, Tensor | StoredTensor] => {
    const { dtype, shape, data } = tensor;
    if (dtype === "string" || !isLarge(data)) return [name, tensor];
    if (offset + data.byteLength > at + bytes || !hasWritten(fd, data, offset)) return [name, tensor];
    const stored: StoredTensor = { dtype, shape, at: offset, length: data.length };
    offset += data.byteLength;
    return [name, stored];
  });
  return Object.fromEntries(passed);
}

/** The tensors, those in the memory as copies. */
export function loadTensors(fd: number, passed: PassedTensors): Tensors {
  if (!Object.values(passed).some((tensor) => "at" in tensor)) return passed as Tensors; // none is stored
  return Object.fromEntries(
    Object.entries(passed).map(([name, tensor]) => [name, "at" in tensor ? loadTensor(fd, tensor) : tensor]),
  );
}

function loadTensor(fd: number, { dtype, shape, at, length }: StoredTensor): Tensor {
  const data = new dtypes[dtype].array(length);
  readSync(fd, data, { position: at });
  return { dtype, shape, data } as Tensor; // the array is its dtype's
}

function isLarge(data: Tensor["data"]): data is Exclude<Tensor["data"], readonly string[]> {
  return ArrayBuffer.isView(data) && data.byteLength >= minBytes;
}

/** Whether there was room for all of it: a container's memory for files may be small. */
function hasWritten(fd: number, data: NodeJS.ArrayBufferView, position: number): boolean {
  try {
    return writeSync(fd, data, 0, data.byteLength, position) === data.byteLength;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
