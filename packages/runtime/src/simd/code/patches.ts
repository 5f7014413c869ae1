import {
  type Code,
  defineFunction,
  f32,
  f32x4,
  forEach,
  i32,
  type Local,
  repeatWhile,
  type WasmFunction,
  when,
} from "./instructions.ts";

/**
 * Functions that move blocks of floats, `pixels` · `rows` · `runs` runs of `floats` (1 at least) each, between two places
 * that have distances of their own from pixel to pixel, row to row and run to run. `copyPatches` gathers what a filter
 * sees of an image, pixel by pixel; `addPatches` adds such patches to an image.
 */
export const patchFunctions: readonly WasmFunction[] = [
  patchFunction("copyPatches", ({ from, to, rest, step }, floats) => {
    const copy = (size: number, code: Code) => [
      rest.set(i32.multiply(i32.subtract(floats, size), 4)),
      forEach({ rest, step, size: size * 4 }, code, [advance(from, step), advance(to, step)]),
    ];
    return when(
      i32.isAtLeast(floats, 4),
      copy(4, f32x4.store(to, f32x4.load(from))),
      copy(1, f32.store(to, f32.load(from))),
    );
  }),
  patchFunction("addPatches", ({ from, to, rest }, floats) => {
    const add = (size: number, code: Code) => {
      const isLeft = i32.isAtLeast(rest, size);
      const next = [rest, from, to].map((each, index) => each.set(i32.add(each, index === 0 ? -size : size * 4)));
      return when(isLeft, repeatWhile(isLeft, [code, next]));
    };
    return [
      rest.set(floats),
      add(4, f32x4.store(to, f32x4.add(f32x4.load(to), f32x4.load(from)))),
      add(1, f32.store(to, f32.add(f32.load(to), f32.load(from)))),
    ];
  }),
];

type RunLocals = Readonly<Record<"from" | "to" | "rest" | "step", Local>>;

function patchFunction(name: string, moveRun: (locals: RunLocals, floats: Local) => Code): WasmFunction {
  const parameters = {
    from: "i32",
    fromPixelBytes: "i32",
    fromRowBytes: "i32",
    fromRunBytes: "i32",
    to: "i32",
    toPixelBytes: "i32",
    toRowBytes: "i32",
    toRunBytes: "i32",
    pixels: "i32",
    rows: "i32",
    runs: "i32",
    floats: "i32",
  } as const;
  return defineFunction(name, parameters, (given, declare) => {
    const row = declare({ from: "i32", to: "i32", rest: "i32" });
    const run = declare({ from: "i32", to: "i32", rest: "i32" });
    const locals = declare({ from: "i32", to: "i32", rest: "i32", step: "i32" });
    return repeat(given.pixels, [
      row.from.set(given.from),
      row.to.set(given.to),
      row.rest.set(given.rows),
      repeat(row.rest, [
        run.from.set(row.from),
        run.to.set(row.to),
        run.rest.set(given.runs),
        repeat(run.rest, [
          locals.from.set(run.from),
          locals.to.set(run.to),
          moveRun(locals, given.floats),
          advance(run.from, given.fromRunBytes),
          advance(run.to, given.toRunBytes),
        ]),
        advance(row.from, given.fromRowBytes),
        advance(row.to, given.toRowBytes),
      ]),
      advance(given.from, given.fromPixelBytes),
      advance(given.to, given.toPixelBytes),
    ]);
  });
}

function repeat(count: Local, body: Code): Code {
  return when(count, repeatWhile(count, [body, count.set(i32.subtract(count, 1))]));
}

function advance(address: Local, bytes: Local): Code {
  return address.set(i32.add(address, bytes));
}
