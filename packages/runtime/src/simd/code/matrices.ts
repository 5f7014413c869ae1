import {
  call,
  defineFunction,
  f32,
  f32x4,
  forEach,
  i32,
  type MultiplyAdd,
  repeatWhile,
  type WasmFunction,
  when,
} from "./instructions.ts";

/** Rows of the left matrix that are multiplied at a time: 12 sums and 3 operands fit into x64's 16 registers. */
export const tileRows = 6;

/**
 * Functions that multiply matrices of floats: out = clamp(left · right + bias).
 *
 * The right matrix is packed first: panels of 8 columns, one after the other, each row by row, so that the innermost
 * loop reads memory in order. Where less than 8 columns are left, the last panel begins earlier and its first columns
 * are computed twice; likewise the last tile of rows. Matrices of 4 to 7 columns have panels of 4.
 */
export function matrixFunctions(multiplyAdd: MultiplyAdd): readonly WasmFunction[] {
  return [4, 8].flatMap((width) => {
    const row = tileFunction(1, width / 4, multiplyAdd);
    const tile = tileFunction(tileRows, width / 4, multiplyAdd);
    return [packFunction(width), multiplyFunction(row, tile, width), row, tile];
  });
}

/**
 * Addresses and what lies between rows. A row of the left matrix is `runs` runs of `depth` floats; `skipBytes` lie
 * between the end of one and the next. A bias at 0 is none.
 */
const operands = {
  left: "i32",
  leftBytes: "i32",
  depth: "i32",
  runs: "i32",
  skipBytes: "i32",
  right: "i32",
  bias: "i32",
  out: "i32",
  outBytes: "i32",
} as const;

/** Multiplies some rows by one panel. */
function tileFunction(rows: number, vectors: number, multiplyAdd: MultiplyAdd): WasmFunction {
  const parameters = { ...operands, least: "v128", greatest: "v128" } as const;
  return defineFunction(`tile${rows}By${vectors * 4}`, parameters, (given, declare) => {
    const { left, leftBytes, depth, runs, skipBytes, right, bias, out, outBytes, least, greatest } = given;
    const { factor, rest } = declare({ factor: "v128", rest: "i32" });
    const panel = Array.from({ length: vectors }, (_, v) => ({ offset: v * 16, ...declare({ row: "v128" }) }));
    const lines = Array.from({ length: rows }, (_, line) => ({
      address: line === 0 ? left : declare({ address: "i32" }).address,
      sums: panel.map(({ offset, row }) => ({ offset, row, ...declare({ sum: "v128" }) })),
    }));
    const multiply = (count: number) => [
      Array.from({ length: count }, (_, k) => [
        panel.map(({ offset, row }) => row.set(f32x4.load(right, k * vectors * 16 + offset))),
        lines.map(({ address, sums }) => [
          factor.set(f32x4.loadSplat(address, k * 4)),
          sums.map(({ sum, row }) => sum.set(multiplyAdd(factor, row, sum))),
        ]),
      ]),
      lines.map(({ address }) => address.set(i32.add(address, count * 4))),
      right.set(i32.add(right, count * vectors * 16)),
      rest.set(i32.subtract(rest, count)),
    ];
    const multiplyRun = [
      rest.set(depth),
      when(i32.isAtLeast(rest, 4), repeatWhile(i32.isAtLeast(rest, 4), multiply(4))),
      when(rest, repeatWhile(rest, multiply(1))),
      lines.map(({ address }) => address.set(i32.add(address, skipBytes))),
      runs.set(i32.subtract(runs, 1)),
    ];
    const addBias = lines.map(({ sums }) => sums.map(({ offset, sum }) => sum.set(f32x4.load(bias, offset))));
    return [
      when(bias, addBias),
      lines.slice(1).map(({ address }, line) => address.set(i32.add(lines[line]?.address ?? left, leftBytes))),
      repeatWhile(runs, multiplyRun),
      lines.map(({ sums }) => [
        sums.map(({ offset, sum }) => f32x4.store(out, f32x4.least(f32x4.greatest(sum, least), greatest), offset)),
        out.set(i32.add(out, outBytes)),
      ]),
    ];
  });
}

/** Multiplies all rows, of which there is one at least, by all panels. */
function multiplyFunction(row: WasmFunction, tile: WasmFunction, width: number): WasmFunction {
  const parameters = { ...operands, rows: "i32", columns: "i32", least: "f32", greatest: "f32" } as const;
  return defineFunction(`multiplyBy${width}`, parameters, (given, declare) => {
    const { left, leftBytes, depth, runs, skipBytes, right, bias, out, outBytes } = given;
    const { rows, columns, least, greatest } = given;
    const { low, high } = declare({ low: "v128", high: "v128" });
    const { address, target } = declare({ address: "i32", target: "i32" });
    const { restRows, stepRows } = declare({ restRows: "i32", stepRows: "i32" });
    const { restBytes, stepBytes } = declare({ restBytes: "i32", stepBytes: "i32" });
    const multiply = (by: WasmFunction, size: number) => [
      restRows.set(i32.subtract(rows, size)),
      forEach(
        { rest: restRows, step: stepRows, size },
        call(by, address, leftBytes, depth, runs, skipBytes, right, bias, target, outBytes, low, high),
        [
          address.set(i32.add(address, i32.multiply(stepRows, leftBytes))),
          target.set(i32.add(target, i32.multiply(stepRows, outBytes))),
        ],
      ),
    ];
    return [
      low.set(f32x4.splat(least)),
      high.set(f32x4.splat(greatest)),
      restBytes.set(i32.multiply(i32.subtract(columns, width), 4)),
      forEach(
        { rest: restBytes, step: stepBytes, size: width * 4 },
        [
          address.set(left),
          target.set(out),
          when(i32.isAtLeast(rows, tileRows), multiply(tile, tileRows), multiply(row, 1)),
        ],
        [
          right.set(i32.add(right, i32.multiply(i32.multiply(depth, runs), width * 4))),
          out.set(i32.add(out, stepBytes)),
          when(bias, bias.set(i32.add(bias, stepBytes))),
        ],
      ),
    ];
  });
}

/** Packs a matrix whose elements lie `rowBytes` apart from row to row, and `columnBytes` from column to column. */
function packFunction(width: number): WasmFunction {
  const parameters = {
    matrix: "i32",
    rowBytes: "i32",
    columnBytes: "i32",
    out: "i32",
    depth: "i32",
    columns: "i32",
  } as const;
  return defineFunction(`packBy${width}`, parameters, (given, declare) => {
    const { matrix, rowBytes, columnBytes, out, depth, columns } = given;
    const { address, element, row } = declare({ address: "i32", element: "i32", row: "i32" });
    const { rest, step } = declare({ rest: "i32", step: "i32" });
    const packRow = [
      element.set(address),
      Array.from({ length: width }, (_, column) => [
        f32.store(out, f32.load(element), column * 4),
        element.set(i32.add(element, columnBytes)),
      ]),
      address.set(i32.add(address, rowBytes)),
      out.set(i32.add(out, width * 4)),
      row.set(i32.subtract(row, 1)),
    ];
    return [
      rest.set(i32.subtract(columns, width)),
      forEach(
        { rest, step, size: width },
        [address.set(matrix), row.set(depth), when(row, repeatWhile(row, packRow))],
        matrix.set(i32.add(matrix, i32.multiply(step, columnBytes))),
      ),
    ];
  });
}
