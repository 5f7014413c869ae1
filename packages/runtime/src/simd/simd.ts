import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "../backends/wasm-memory.ts";
import { type Calls, callsHere } from "./calls.ts";
import { startSimdKernels } from "./code/simd-kernels.ts";
import { Team, type Teammate } from "./threads/team.ts";

/** A matrix [depth, columns] as our kernels take the right one of two: how it lies in memory now. */
export interface MatrixLayout {
  readonly depth: number;
  readonly columns: number;
  readonly isTransposed: boolean;
}

interface PackedMatrix extends MatrixLayout {
  readonly address: number;
}

/** Our kernels on the memory of TensorFlow.js's WebAssembly backend, and the memory that they need besides tensors. */
export class Simd {
  readonly calls: Calls;
  readonly #backend: WasmBackend;
  /** What a tensor's matrix was packed to, by its data. It lives as long as the tensor. */
  readonly #packed = new WeakMap<object, PackedMatrix[]>();
  #scratch = { address: 0, bytes: 0 };

  constructor(backend: WasmBackend, calls: Calls) {
    this.#backend = backend;
    this.calls = calls;
  }

  /** The address of a tensor's matrix, packed: once for each tensor and layout. */
  packOnce({ dataId }: TensorInfo, layout: MatrixLayout): number {
    const all = this.#packed.get(dataId) ?? [];
    const { depth, columns, isTransposed } = layout;
    const found = all.find(
      (each) => each.depth === depth && each.columns === columns && each.isTransposed === isTransposed,
    );
    if (found) return found.address;
    const address = this.#allocate(packedBytes(layout));
    this.pack(this.#backend.dataIdMap.get(dataId).memoryOffset, layout, address);
    this.#packed.set(dataId, [...all, { ...layout, address }]);
    return address;
  }

  /** Packs the matrix at an address, to another one with room for {@link packedBytes}. */
  pack(matrix: number, { depth, columns, isTransposed }: MatrixLayout, address: number): void {
    const [rowBytes, columnBytes] = isTransposed ? [4, depth * 4] : [columns * 4, 4];
    const pack = panelWidth(columns) === 8 ? "packBy8" : "packBy4";
    this.calls.call(pack, matrix, rowBytes, columnBytes, address, depth, columns);
    this.calls.finish();
  }

  /** The address of memory to write to, until the next call. */
  scratch(bytes: number): number {
    if (this.#scratch.bytes < bytes) {
      this.#backend.wasm._free(this.#scratch.address);
      this.#scratch = { address: 0, bytes: 0 };
      this.#scratch = { address: this.#allocate(bytes), bytes };
    }
    return this.#scratch.address;
  }

  /** Frees what was packed of a tensor that is no more. */
  forget(dataId: object): void {
    for (const { address } of this.#packed.get(dataId) ?? []) this.#backend.wasm._free(address);
    this.#packed.delete(dataId);
  }

  /** Throws `out-of-memory` where there is no room. */
  #allocate(bytes: number): number {
    return this.#backend.wasm._malloc(bytes) >>> 0; // beyond 2 GiB it comes as a negative number
  }
}

/** The bytes of a matrix once it is packed; its last panel may hold columns of the one before again. */
export function packedBytes({ depth, columns }: MatrixLayout): number {
  const width = panelWidth(columns);
  return Math.ceil(columns / width) * width * depth * 4;
}

/** The width of the panels of a packed matrix. Matrices of less than 4 columns have none. */
export function panelWidth(columns: number): 4 | 8 {
  return columns >= 8 ? 8 : 4;
}

/** Gives a backend our kernels, in this thread and in those of teammates. */
export async function addSimd(
  backend: WasmBackend,
  module: WebAssembly.Module,
  teammates: readonly Teammate[],
): Promise<void> {
  const kernelMemory = backend.wasm.asm.memory;
  const kernels = await startSimdKernels(module, kernelMemory);
  const hasTeam = teammates.length > 0 && kernelMemory.buffer instanceof SharedArrayBuffer;
  const calls = hasTeam ? new Team(kernels, teammates, { module, kernelMemory }) : callsHere(kernels);
  const simd = new Simd(backend, calls);
  const disposeData = backend.disposeData.bind(backend);
  backend.disposeData = (dataId, force) => {
    const isGone = disposeData(dataId, force);
    if (isGone) simd.forget(dataId);
    return isGone;
  };
  backend.simd = simd;
}
