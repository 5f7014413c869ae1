import { type KernelFunc, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { addressOf, sizeOf, type WasmBackend } from "../backends/wasm-memory.ts";
import { tileRows } from "./code/matrices.ts";
import { packedBytes, panelWidth, type Simd } from "./simd.ts";

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

/** A product of matrices; `left`, `right` (packed), `bias` (0 for none) and `out` are addresses. */
export interface Product extends Clamp {
  readonly rows: number;
  /** 4 at least. */
  readonly columns: number;
  readonly left: number;
  /** A row of the left matrix is `runs` runs of `depth` floats (1), with `skipBytes` between them. */
  readonly depth: number;
  readonly runs?: number;
  readonly skipBytes?: number;
  /** From row to row; as many as it takes by default. */
  readonly leftBytes?: number;
  readonly right: number;
  readonly bias: number;
  readonly out: number;
  readonly outBytes?: number;
}

// What is multiplied of the left matrix at a time stays in a processor's second cache while the right one passes by.
const blockBytes = 131_072;
// With fewer rows, reading the right matrix would take longer than multiplying by it.
const leastBlockRows = 4 * tileRows;

/** How many rows of so many floats (1 at least) are multiplied at a time. */
export function blockRows(floats: number): number {
  return Math.max(leastBlockRows, Math.floor(blockBytes / (4 * floats)));
}

/** Multiplies matrices. */
export function multiply({ kernels }: Simd, product: Product): void {
  const { rows, columns, left, depth, runs = 1, skipBytes = 0, right, bias, out, least, greatest } = product;
  const { leftBytes = depth * 4, outBytes = columns * 4 } = product;
  const kernel = panelWidth(columns) === 8 ? kernels.multiplyBy8 : kernels.multiplyBy4;
  const block = blockRows(Math.max(1, depth * runs));
  for (let row = 0; row < rows; row += block) {
    kernel(
      left + row * leftBytes,
      leftBytes,
      depth,
      runs,
      skipBytes,
      right,
      bias,
      out + row * outBytes,
      outBytes,
      Math.min(block, rows - row),
      columns,
      least,
      greatest,
    );
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
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batches = util.sizeFromShape(outerB);
  const isOnePerBatch = util.arraysEqual(outerA, outerB);
  const biasAt = biasAddress(backend, bias, columns);
  if (columns < 4 || biasAt === undefined || (batches !== 1 && !isOnePerBatch)) return undefined;
  const outer = outerA.length >= outerB.length ? outerA : outerB;
  const layout = { depth, columns, isTransposed };
  const right = batches === 1 ? simd.packOnce(b, layout) : simd.scratch(packedBytes(layout));
  const output = backend.makeOutput([...outer, rows, columns], "float32");
  const [left, out, matrix] = [a, output, b].map((tensor) => addressOf(backend, tensor)) as [number, number, number];
  const product = { depth, columns, right, bias: biasAt, ...clamp };
  if (batches === 1) {
    multiply(simd, { ...product, left, rows: util.sizeFromShape(outerA) * rows, out });
    return output;
  }
  for (let batch = 0; batch < batches; batch++) {
    simd.pack(matrix + batch * depth * columns * 4, layout, right);
    const from = left + batch * rows * depth * 4;
    multiply(simd, { ...product, left: from, rows, out: out + batch * rows * columns * 4 });
  }
  return output;
}
