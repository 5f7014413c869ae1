/** What one workgroup computes of a product: rows × columns of it. */
export interface Tile {
  /** Threads along the columns, each for four of them. */
  readonly columnThreads: number;
  /** Threads along the rows, each for as many rows as `rowsPerThread`. */
  readonly rowThreads: number;
  readonly rowsPerThread: number;
  /**
   * How much of the inner dimension lies in workgroup memory at a time: a multiple of four times the slices; 0 where
   * each thread reads what it needs itself, in one slice.
   */
  readonly inner: number;
  /** Threads that compute the same elements, each over its slice of the inner dimension; their sums are added. */
  readonly slices: number;
}

/** Tiles to choose from. Each has 64 threads and needs 12 KiB of workgroup memory at most; WebGPU guarantees 16. */
export const tiles = {
  /** 32 × 32: each value that is loaded is used 32 times. */
  square: { columnThreads: 8, rowThreads: 8, rowsPerThread: 4, inner: 32, slices: 1 },
  /** 8 × 32: four times the workgroups, for a product that is too small to fill a GPU with squares. */
  band: { columnThreads: 8, rowThreads: 2, rowsPerThread: 4, inner: 64, slices: 4 },
  /** 1 × 32: a vector times a matrix, which is read once. */
  vector: { columnThreads: 8, rowThreads: 1, rowsPerThread: 1, inner: 64, slices: 8 },
  /** 64 × 32, without workgroup memory: where waiting for other threads takes longest, as on devices of software. */
  plain: { columnThreads: 8, rowThreads: 8, rowsPerThread: 8, inner: 0, slices: 1 },
} as const satisfies Readonly<Record<string, Tile>>;

// Below it a GPU has cores without work.
const enoughWorkgroups = 64;

export type TileName = keyof typeof tiles;

/** The tile for a product of this size, for all its batches together, on a GPU. */
export function tileFor({
  rows,
  columns,
  batches,
}: Readonly<Record<"rows" | "columns" | "batches", number>>): Exclude<TileName, "plain"> {
  if (rows === 1) return "vector";
  const squares = batches * Math.ceil(rows / 32) * Math.ceil(columns / 32);
  return squares < enoughWorkgroups || rows <= 8 ? "band" : "square";
}

/** How many threads a workgroup has. */
export function threadCount({ columnThreads, rowThreads, slices }: Tile): number {
  return columnThreads * rowThreads * slices;
}
