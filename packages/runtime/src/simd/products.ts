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

/** The address of a bias of so many channels, [channels] or [1, channels]: 0 for none; undefined for one of another shape. */
export function biasAddress(backend: WasmBackend, bias: TensorInfo | undefined, channels: number): number | undefined {
  if (bias === undefined || bias === null) return 0;
  const isRow = bias.shape.at(-1) === channels && sizeOf(bias) === channels;
  return bias.dtype === "float32" && isRow ? addressOf(backend, bias) : undefined;
}

/** What rows are multiplied by, and what comes after; `right` (packed) and `bias` (0 for none) are addresses. */
export interface Right extends Clamp {
  /** 4 at least. */
  readonly columns: number;
  readonly right: number;
  readonly bias: number;
}

/** Rows of a left matrix; `left` and `out` are addresses. */
export interface Rows {
  readonly rows: number;
  readonly left: number;
  /** A row is `runs` runs of `depth` floats (1), with `skipBytes` between them. */
  readonly depth: number;
  readonly runs?: number;
  readonly skipBytes?: number;
  /** From row to row; as many as it takes by default. */
  readonly leftBytes?: number;
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

/** Multiplies matrices by one call of a kernel. It is called hundreds of times in a run: its objects are never copied. */
export function multiply({ calls }: Simd, { columns, right, bias, least, greatest }: Right, part: Rows): void {
  const { rows, left, depth, runs = 1, skipBytes = 0, leftBytes = depth * 4, out, outBytes = columns * 4 } = part;
  const kernel = panelWidth(columns) === 8 ? "multiplyBy8" : "multiplyBy4";
  calls.call(
    kernel,
    left,
    leftBytes,
    depth,
    runs,
    skipBytes,
    right,
    bias,
    out,
    outBytes,
    rows,
    columns,
    least,
    greatest,
  );
}

/** Multiplies whole matrices: a group of calls for some rows of the left one and some panels of the right one. */
export function multiplyMatrices(
  simd: Simd,
  whole: Right,
  { rows, left, depth, out }: Pick<Rows, "rows" | "left" | "depth" | "out">,
): void {
  const { columns, right, bias, least, greatest } = whole;
  const block = blockRows(Math.max(1, depth));
  const width = panelWidth(columns);
  const each = width * panelsEach(simd, { rows, columns, depth }, Math.min(rows, block));
  for (let row = 0; row < rows; row += block) {
    for (let column = 0; column < columns; ) {
      // What is left must be a panel or more.
      const end = columns - (column + each) < width ? columns : column + each;
      const panels = {
        columns: end - column,
        right: right + column * depth * 4,
        bias: bias && bias + column * 4,
        least,
        greatest,
      };
      multiply(simd, panels, {
        rows: Math.min(block, rows - row),
        left: left + row * depth * 4,
        depth,
        out: out + (row * columns + column) * 4,
        outBytes: columns * 4,
      });
      simd.calls.endGroup();
      column = end;
    }
  }
}

/** How many panels of the right matrix are multiplied at a time: all, unless there are threads without work. */
function panelsEach(
  { calls }: Simd,
  { rows, columns, depth }: Readonly<Record<"rows" | "columns" | "depth", number>>,
  block: number,
): number {
  const panels = Math.ceil(columns / panelWidth(columns));
  const wanted = Math.ceil((calls.threads * groupsPerThread * block) / Math.max(1, rows));
  const least = Math.ceil(leastGroupProducts / (block * Math.max(1, depth) * panelWidth(columns)));
  return calls.threads === 1 ? panels : Math.max(Math.ceil(panels / wanted), least);
}

// So many that no thread waits long for the last one, each so large that taking it costs next to nothing.
const groupsPerThread = 3;
const leastGroupProducts = 50_000;

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
  const multiplied = { columns, right, bias: biasAt, ...clamp };
  if (batches === 1) {
    multiplyMatrices(simd, multiplied, { left, depth, rows: util.sizeFromShape(outerA) * rows, out });
    simd.calls.finish();
    return output;
  }
  for (let batch = 0; batch < batches; batch++) {
    simd.pack(matrix + batch * depth * columns * 4, layout, right);
    const from = left + batch * rows * depth * 4;
    multiplyMatrices(simd, multiplied, { left: from, depth, rows, out: out + batch * rows * columns * 4 });
    simd.calls.finish();
  }
  return output;
}
