import { type Code, defineFunction, f32, f32x4, forEach, i32, type Local, repeatWhile, when } from "./instructions.ts";

/**
 * Copies for each of `pixels` pixels of a convolution's output what its filter sees, one patch after the other: a matrix
 * that is multiplied by the filter's. A patch has `rows` rows, each of `runs` runs of `floats` floats.
 */
export const gatherPatches = defineFunction(
  "gatherPatches",
  {
    x: "i32",
    xPixelBytes: "i32",
    xRowBytes: "i32",
    xRunBytes: "i32",
    out: "i32",
    outPixelBytes: "i32",
    outRowBytes: "i32",
    outRunBytes: "i32",
    pixels: "i32",
    rows: "i32",
    runs: "i32",
    floats: "i32",
  },
  (given, declare) => {
    const { x, xPixelBytes, xRowBytes, xRunBytes, out, outPixelBytes, outRowBytes, outRunBytes } = given;
    const from = declare({ row: "i32", run: "i32", float: "i32" });
    const to = declare({ row: "i32", run: "i32", float: "i32" });
    const left = declare({ rows: "i32", runs: "i32", floats: "i32", step: "i32" });
    const copyFloats = (size: number, copy: Code) => [
      left.floats.set(i32.multiply(i32.subtract(given.floats, size), 4)),
      forEach({ rest: left.floats, step: left.step, size: size * 4 }, copy, [
        from.float.set(i32.add(from.float, left.step)),
        to.float.set(i32.add(to.float, left.step)),
      ]),
    ];
    const copyRun = [
      from.float.set(from.run),
      to.float.set(to.run),
      when(
        i32.isAtLeast(given.floats, 4),
        copyFloats(4, f32x4.store(to.float, f32x4.load(from.float))),
        copyFloats(1, f32.store(to.float, f32.load(from.float))),
      ),
    ];
    const copyRow = [
      from.run.set(from.row),
      to.run.set(to.row),
      left.runs.set(given.runs),
      repeat(left.runs, [copyRun, advance(from.run, xRunBytes), advance(to.run, outRunBytes)]),
    ];
    return repeat(given.pixels, [
      from.row.set(x),
      to.row.set(out),
      left.rows.set(given.rows),
      repeat(left.rows, [copyRow, advance(from.row, xRowBytes), advance(to.row, outRowBytes)]),
      advance(x, xPixelBytes),
      advance(out, outPixelBytes),
    ]);
  },
);

function repeat(count: Local, body: Code): Code {
  return when(count, repeatWhile(count, [body, count.set(i32.subtract(count, 1))]));
}

function advance(address: Local, bytes: Local): Code {
  return address.set(i32.add(address, bytes));
}
