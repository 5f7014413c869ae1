import {
  type Code,
  call,
  defineFunction,
  f32x4,
  forEach,
  i32,
  type Local,
  type MultiplyAdd,
  repeatWhile,
  type WasmFunction,
  when,
} from "./instructions.ts";

/** Pixels of the output that are computed at a time, beside each other. */
export const runPixels = 4;

/** The kernels' widths, and the strides, for which there are functions that compute runs of pixels. */
export const runWidths = [3, 5, 7] as const;
export const runStrides = [1, 2] as const;

export type RunWidth = (typeof runWidths)[number];
export type RunStride = (typeof runStrides)[number];

/**
 * Functions that convolve images [h, w, c] with one filter per channel, of 4 channels or more: for each pixel of the
 * output out = clamp(Σ x · filter + bias), channel by channel. The last 4 channels are computed together, some of them
 * twice. `convolvePixel` takes whatever part of the filter lies within the image; `convolve3By1` and so on take runs of
 * 4 pixels or more whose columns do all.
 */
export function depthwiseFunctions(multiplyAdd: MultiplyAdd): readonly WasmFunction[] {
  const runs = runWidths.flatMap((width) =>
    runStrides.flatMap((stride) => {
      const tile = tileFunction(width, stride, multiplyAdd);
      return [runFunction(width, stride, tile), tile];
    }),
  );
  return [pixelFunction(multiplyAdd), ...runs];
}

/**
 * Addresses of the first tap that counts, of the bias (0 is none) and of the first channel of the output. `rows` of the
 * filter count; `lastBytes` is how far the last 4 channels lie from the first.
 */
const operands = {
  x: "i32",
  xRowBytes: "i32",
  filter: "i32",
  filterRowBytes: "i32",
  rows: "i32",
  bias: "i32",
  out: "i32",
  pixelBytes: "i32",
  lastBytes: "i32",
} as const;

function pixelFunction(multiplyAdd: MultiplyAdd): WasmFunction {
  const parameters = { ...operands, xColumnBytes: "i32", columns: "i32", least: "f32", greatest: "f32" } as const;
  return defineFunction("convolvePixel", parameters, (given, declare) => {
    const { x, xRowBytes, filter, filterRowBytes, rows, bias, out, pixelBytes, lastBytes } = given;
    const { xColumnBytes, columns, least, greatest } = given;
    const { sum, low, high } = declare({ sum: "v128", low: "v128", high: "v128" });
    const { step, row, column } = declare({ step: "i32", row: "i32", column: "i32" });
    const at = declare({ xRow: "i32", xTap: "i32", filterRow: "i32", filterTap: "i32" });
    const convolveRow = [
      at.xTap.set(at.xRow),
      at.filterTap.set(at.filterRow),
      column.set(columns),
      repeatWhile(column, [
        sum.set(multiplyAdd(f32x4.load(at.xTap), f32x4.load(at.filterTap), sum)),
        at.xTap.set(i32.add(at.xTap, xColumnBytes)),
        at.filterTap.set(i32.add(at.filterTap, pixelBytes)),
        column.set(i32.subtract(column, 1)),
      ]),
      at.xRow.set(i32.add(at.xRow, xRowBytes)),
      at.filterRow.set(i32.add(at.filterRow, filterRowBytes)),
      row.set(i32.subtract(row, 1)),
    ];
    return [
      low.set(f32x4.splat(least)),
      high.set(f32x4.splat(greatest)),
      forEach(
        { rest: lastBytes, step, size: 16 },
        [
          sum.set(f32x4.zero),
          when(bias, sum.set(f32x4.load(bias))),
          at.xRow.set(x),
          at.filterRow.set(filter),
          row.set(rows),
          when(i32.isLess(0, i32.multiply(rows, columns)), repeatWhile(row, convolveRow)),
          f32x4.store(out, f32x4.least(f32x4.greatest(sum, low), high)),
        ],
        moveChannels({ x, filter, out, bias }, step),
      ),
    ];
  });
}

/** Convolves 4 pixels, whose columns of the image overlap: each of these is loaded once for each row of the filter. */
function tileFunction(width: number, stride: number, multiplyAdd: MultiplyAdd): WasmFunction {
  const parameters = { ...operands, least: "v128", greatest: "v128" } as const;
  return defineFunction(`tile${width}By${stride}`, parameters, (given, declare) => {
    const { x, xRowBytes, filter, filterRowBytes, rows, bias, out, pixelBytes, lastBytes, least, greatest } = given;
    const { step, row, weight } = declare({ step: "i32", row: "i32", weight: "v128" });
    const at = declare({ xRow: "i32", xTap: "i32", filterRow: "i32", filterTap: "i32", out: "i32" });
    const sums = Array.from({ length: runPixels }, () => declare({ sum: "v128" }).sum);
    const columns = Array.from({ length: (runPixels - 1) * stride + width }, () => declare({ x: "v128" }).x);
    const convolveRow = [
      at.xTap.set(at.xRow),
      columns.map((column, index) => [
        index === 0 ? [] : at.xTap.set(i32.add(at.xTap, pixelBytes)),
        column.set(f32x4.load(at.xTap)),
      ]),
      at.filterTap.set(at.filterRow),
      Array.from({ length: width }, (_, tap) => [
        tap === 0 ? [] : at.filterTap.set(i32.add(at.filterTap, pixelBytes)),
        weight.set(f32x4.load(at.filterTap)),
        sums.map((sum, pixel) => sum.set(multiplyAdd(weight, columns[pixel * stride + tap] ?? [], sum))),
      ]),
      at.xRow.set(i32.add(at.xRow, xRowBytes)),
      at.filterRow.set(i32.add(at.filterRow, filterRowBytes)),
      row.set(i32.subtract(row, 1)),
    ];
    return forEach(
      { rest: lastBytes, step, size: 16 },
      [
        sums.map((sum) => sum.set(f32x4.zero)),
        when(
          bias,
          sums.map((sum) => sum.set(f32x4.load(bias))),
        ),
        at.xRow.set(x),
        at.filterRow.set(filter),
        row.set(rows),
        when(row, repeatWhile(row, convolveRow)),
        at.out.set(out),
        sums.map((sum) => [
          f32x4.store(at.out, f32x4.least(f32x4.greatest(sum, least), greatest)),
          at.out.set(i32.add(at.out, pixelBytes)),
        ]),
      ],
      moveChannels({ x, filter, out, bias }, step),
    );
  });
}

/** Convolves a run of pixels, 4 at least, by tiles; the last begins earlier if need be. */
function runFunction(width: number, stride: number, tile: WasmFunction): WasmFunction {
  const parameters = { ...operands, pixels: "i32", least: "f32", greatest: "f32" } as const;
  return defineFunction(`convolve${width}By${stride}`, parameters, (given, declare) => {
    const { x, xRowBytes, filter, filterRowBytes, rows, bias, out, pixelBytes, lastBytes } = given;
    const { pixels, least, greatest } = given;
    const { low, high, step } = declare({ low: "v128", high: "v128", step: "i32" });
    return [
      low.set(f32x4.splat(least)),
      high.set(f32x4.splat(greatest)),
      pixels.set(i32.subtract(pixels, runPixels)),
      forEach(
        { rest: pixels, step, size: runPixels },
        call(tile, x, xRowBytes, filter, filterRowBytes, rows, bias, out, pixelBytes, lastBytes, low, high),
        [
          x.set(i32.add(x, i32.multiply(step, i32.multiply(pixelBytes, stride)))),
          out.set(i32.add(out, i32.multiply(step, pixelBytes))),
        ],
      ),
    ];
  });
}

/** Moves on to the next channels, `step` bytes further. */
function moveChannels(
  { x, filter, out, bias }: Readonly<Record<"x" | "filter" | "out" | "bias", Local>>,
  step: Local,
): Code {
  return [
    [x, filter, out].map((address) => address.set(i32.add(address, step))),
    when(bias, bias.set(i32.add(bias, step))),
  ];
}
