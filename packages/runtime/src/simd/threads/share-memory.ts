/**
 * A WebAssembly binary with its memory declared as shared between threads, if it has one with a maximum. Undefined for
 * any other binary. (TensorFlow.js's own binary for threads starts eight workers, whether it needs them or not.)
 */
export function withSharedMemory(binary: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  for (let at = 8; at < binary.length; ) {
    const id = binary[at];
    const [size, start] = readUnsigned(binary, at + 1);
    if (id === memorySection) {
      const [count, flags] = [binary[start], binary[start + 1]];
      if (count !== 1 || flags !== hasMaximum) return undefined;
      const shared = Uint8Array.from(binary);
      shared[start + 1] = hasMaximum | isShared;
      return shared;
    }
    at = start + size;
  }
  return undefined;
}

const memorySection = 5;
const hasMaximum = 1;
const isShared = 2;

/** A number in LEB128, and where the bytes after it begin. */
function readUnsigned(bytes: Uint8Array, at: number): [number, number] {
  const byte = bytes[at] ?? 0;
  if (byte < 0x80) return [byte, at + 1];
  const [rest, end] = readUnsigned(bytes, at + 1);
  return [(byte & 0x7f) + rest * 0x80, end];
}
