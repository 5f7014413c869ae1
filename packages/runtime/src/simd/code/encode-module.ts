import { type Code, unsigned, valueTypes, type WasmFunction } from "./instructions.ts";

/**
 * A WebAssembly module of these functions, all exported, on a memory that is imported as `env.memory`. A shared memory
 * must be named as such.
 */
export function encodeModule(functions: readonly WasmFunction[], { isShared = false } = {}): Uint8Array<ArrayBuffer> {
  const indices = new Map(functions.map((each, index) => [each, unsigned(index)]));
  const write = (code: Code, bytes: number[]): number[] => {
    for (const part of code) {
      if (typeof part === "number") bytes.push(part);
      else write(isFunction(part) ? (indices.get(part) as number[]) : part, bytes); // all that are called are in the module
    }
    return bytes;
  };
  const sized = (code: Code): Code => {
    const bytes = write(code, []);
    return [unsigned(bytes.length), bytes];
  };
  const section = (id: number, entries: readonly Code[]): Code => [id, sized(list(entries))];
  const memory = isShared ? [0x03, 0, unsigned(maxPages)] : [0x00, 0];
  return Uint8Array.from(
    write(
      [
        [...text("\0asm"), 1, 0, 0, 0],
        section(
          1,
          functions.map(({ parameters }) => [0x60, list(parameters.map((type) => [valueTypes[type]])), 0]),
        ),
        section(2, [[name("env"), name("memory"), 0x02, memory]]),
        section(
          3,
          functions.map((_, index) => unsigned(index)),
        ),
        section(
          7,
          functions.map((each, index) => [name(each.name), 0x00, unsigned(index)]),
        ),
        section(
          10,
          functions.map(({ variables, body }) =>
            sized([list(variables.map((type) => [1, valueTypes[type]])), body, 0x0b]),
          ),
        ),
      ],
      [],
    ),
  );
}

function isFunction(part: Code | WasmFunction): part is WasmFunction {
  return !Array.isArray(part);
}

const maxPages = 65536; // of 64 KiB: an upper bound that any memory may have

function list(entries: readonly Code[]): Code {
  return [unsigned(entries.length), ...entries];
}

function name(ascii: string): Code {
  return list(text(ascii).map((byte) => [byte]));
}

function text(ascii: string): number[] {
  return Array.from(ascii, (letter) => letter.charCodeAt(0));
}
