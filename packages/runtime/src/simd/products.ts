import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import { addressOf, sizeOf, type WasmBackend } from "../backends/wasm-memory.ts";
import { type MatrixLayout, packedBytes, panelWidth, type Simd } from "./simd.ts";

type Arguments = Parameters<KernelFunc>[0];

/** What a kernel does to its results last: keeps them within two bounds. */
export interface Clamp {
  readonly least: number;
  readonly greatest: number;
}

/** The activations that are clamps; our kernels do no others. */
const clamps: Readonly<Record<string, Clamp>> = {
  linear: { least: Number.NEGATIVE_INFINITY, greatest: Number.POSITIVE_INFINITY },
  relu: { least: 0, greatest: Number.POSITIVE_INFINITY },
  relu6: { least: 0, greatest: 6 },
};

/** The clamp that a kernel's attributes ask for; undefined for another activation. */
export function clampOf({ activation = "linear" }: { readonly activation?: unknown }): Clamp | undefined {
  return typeof activation === "string" && Object.hasOwn(clamps, activation) ? clamps[activation] : undefined;
}

/** The address of a bias of so many channels: 0 for none; undefined for one of another shape. */
export function biasAddress(backend: WasmBackend, bias: TensorInfo | undefined, channels: number): number | undefined {
  if (bias === undefined || bias === null) return 0;
  return bias.dtype === "float32" && sizeOf(bias) === channels ? addressOf(backend, bias) : undefined;
}

export interface Product extends Clamp {
  /** The left matrix: `rows` rows of the right one's depth, one after the other. */
  readonly left: number;
  readonly rows: number;
  /** The right matrix, packed, and its size. */
  readonly right: number;
  readonly layout: MatrixLayout;
  /** 0 for none. */
  readonly bias: number;
  readonly out: number;
}

// What of the left matrix is multiplied at a time stays in a processor's second cache while the right one passes by.
const blockBytes = 65536;

/** How many rows of so many floats are multiplied at a time. */
export function blockRows(floats: number): number {
  return Math.max(6, Math.floor(blockBytes / (4 * floats + 1)));
}

/** Multiplies matrices. All are addresses; the right one has 4 columns at least. */
export function multiply({ kernels }: Simd, { left, rows, right, layout, bias, out, least, greatest }: Product): void {
  const { depth, columns } = layout;
  const kernel = panelWidth(columns) === 8 ? kernels.multiplyBy8 : kernels.multiplyBy4;
  const count = blockRows(depth);
  for (let row = 0; row < rows; row += count) {
    const [from, to] = [left + row * depth * 4, out + row * columns * 4];
    kernel(from, depth * 4, right, bias, to, columns * 4, depth, Math.min(count, rows - row), columns, least, greatest);
  }
}

/**
 * `BatchMatMul` and `_FusedMatMul` by our kernels; undefined where they can't: a transposed left matrix, fewer than 4
 * columns, an activation that is no clamp, batches of which one is repeated.
 */
export function multiplyTensors({ inputs, attrs, backend: given }: Arguments): TensorInfo | undefined {
  const backend = given as WasmBackend;
  const { simd } = backend;
  const { a, b, bias, preluActivationWeights } = inputs as Readonly<Record<string, TensorInfo>>;
  const { transposeA, transposeB: isTransposed = false } = attrs as Readonly<Record<string, boolean>>;
  const clamp = clampOf(attrs ?? {});
  if (!simd || !clamp || !a || !b || transposeA || preluActivationWeights) return undefined;
  if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
  const [rows = 0, depth = 0] = a.shape.slice(-2);
  const columns = b.shape.at(isTransposed ? -2 : -1) ?? 0;
  const batches = sizeOf({ ...b, shape: b.shape.slice(0, -2) });
  const isOnePerBatch = a.shape.length === b.shape.length && batches === sizeOf({ ...a, shape: a.shape.slice(0, -2) });
  const biasAt = biasAddress(backend, bias, columns);
  if (columns < 4 || biasAt === undefined || (batches !== 1 && !isOnePerBatch)) return undefined;
  const outer = a.shape.length >= b.shape.length ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
  const layout = { depth, columns, isTransposed };
  const right = batches === 1 ? simd.packOnce(b, layout) : simd.scratch(packedBytes(layout));
  const output = backend.makeOutput([...outer, rows, columns], "float32");
  const [left, out, matrix] = [a, output, b].map((tensor) => addressOf(backend, tensor)) as [number, number, number];
  const product = { right, layout, bias: biasAt, ...clamp };
  if (batches === 1) {
    multiply(simd, { ...product, left, rows: sizeOf(a) / (depth || 1), out });
    return output;
  }
  for (let batch = 0; batch < batches; batch++) {
    simd.pack(matrix + batch * depth * columns * 4, layout, right);
    const from = left + batch * rows * depth * 4;
    multiply(simd, { ...product, left: from, rows, out: out + batch * rows * columns * 4 });
  }
  return output;
}
