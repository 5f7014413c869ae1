/** Bytes of WebAssembly, nested as they were put together. A function in them stands for its index. */
export type Code = readonly (number | Code | WasmFunction)[];

/** What computes one value on WebAssembly's stack; a number is an i32 constant. */
export type Operand = number | Local | Code;

/** A parameter or variable of a function. */
export interface Local {
  readonly get: Code;
  set(value: Operand): Code;
}

export const valueTypes = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
export type ValueType = keyof typeof valueTypes;

/** A function without a result. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly variables: readonly ValueType[];
  readonly body: Code;
}

type Types<Name extends string> = Readonly<Record<Name, ValueType>>;
type Locals<Name extends string> = Readonly<Record<Name, Local>>;

/** Declares variables, which begin as zero. */
export type Declare = <Name extends string>(types: Types<Name>) => Locals<Name>;

/** Defines a function, whose body `build` writes. */
export function defineFunction<Name extends string>(
  name: string,
  parameters: Types<Name>,
  build: (parameters: Locals<Name>, declare: Declare) => Code,
): WasmFunction {
  const types: ValueType[] = [];
  const local = (type: ValueType): Local => {
    const index = unsigned(types.push(type) - 1);
    return { get: [0x20, index], set: (value) => [push(value), 0x21, index] };
  };
  const declare: Declare = (named) => {
    const entries = Object.entries<ValueType>(named).map(([each, type]) => [each, local(type)] as const);
    return Object.fromEntries(entries) as Locals<keyof typeof named>;
  };
  const body = build(declare(parameters), declare);
  const count = Object.keys(parameters).length;
  return { name, parameters: types.slice(0, count), variables: types.slice(count), body };
}

/** Arithmetic of addresses and counts; comparisons take them as unsigned. */
export const i32 = {
  add: binary(0x6a),
  subtract: binary(0x6b),
  multiply: binary(0x6c),
  isLess: binary(0x49),
  isAtLeast: binary(0x4f),
  /** The lesser of two, each written twice: give it locals. */
  least: (a: Operand, b: Operand): Code => [push(a), push(b), i32.isLess(a, b), 0x1b],
} as const;

export const f32 = {
  add: binary(0x92),
  load: (address: Operand, offset = 0): Code => [push(address), 0x2a, 2, unsigned(offset)],
  store: (address: Operand, value: Operand, offset = 0): Code => [
    push(address),
    push(value),
    0x38,
    2,
    unsigned(offset),
  ],
} as const;

/** Four floats at a time. */
export const f32x4 = {
  load: (address: Operand, offset = 0): Code => [push(address), simd(0x00), 2, unsigned(offset)],
  /** The same float four times. */
  loadSplat: (address: Operand, offset = 0): Code => [push(address), simd(0x09), 2, unsigned(offset)],
  store: (address: Operand, value: Operand, offset = 0): Code => [
    push(address),
    push(value),
    simd(0x0b),
    2,
    unsigned(offset),
  ],
  splat: (value: Local): Code => [push(value), simd(0x13)],
  zero: [0x43, 0, 0, 0, 0, simd(0x13)] as Code,
  add: binary(...simd(0xe4)),
  multiply: binary(...simd(0xe6)),
  /** a·b + c, rounded once or twice, as the processor does it faster. */
  relaxedMultiplyAdd: (a: Operand, b: Operand, c: Operand): Code => [push(a), push(b), push(c), simd(0x105)],
  /** Not a number stays so, if it is the first. */
  least: binary(...simd(0xea)),
  greatest: binary(...simd(0xeb)),
} as const;

/** a·b + c of four floats each. */
export type MultiplyAdd = (a: Operand, b: Operand, c: Operand) => Code;

/** Calls a function. */
export function call(target: WasmFunction, ...operands: readonly Operand[]): Code {
  return [operands.map(push), 0x10, target];
}

/** Runs the body, and again as long as the condition then holds. */
export function repeatWhile(condition: Operand, body: Code): Code {
  return [0x03, 0x40, body, push(condition), 0x0d, 0, 0x0b];
}

/** Runs the body if the condition holds, else the other one. */
export function when(condition: Operand, body: Code, otherwise?: Code): Code {
  return [push(condition), 0x04, 0x40, body, otherwise === undefined ? [] : [0x05, otherwise], 0x0b];
}

/**
 * Runs the body at 0, `size`, 2·`size` and so on, at last at `last`, which may lie less than `size` further: there the
 * body does again what it has done before. `rest` begins as `last`; `move` is what makes a step of `step`.
 */
export function forEach(
  { rest, step, size }: { readonly rest: Local; readonly step: Local; readonly size: number },
  body: Code,
  move: Code,
): Code {
  const next = [step.set(i32.least(rest, size)), rest.set(i32.subtract(rest, step)), move];
  return repeatWhile(step, [body, next]);
}

/** A whole number ≥ 0 as LEB128. */
export function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function push(operand: Operand): Code {
  if (typeof operand === "number") return [0x41, signed(operand)];
  return "get" in operand ? operand.get : operand;
}

function binary(...opcode: readonly number[]): (a: Operand, b: Operand) => Code {
  return (a, b) => [push(a), push(b), opcode];
}

function simd(opcode: number): number[] {
  return [0xfd, ...unsigned(opcode)];
}

/** An i32 as signed LEB128. */
function signed(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
