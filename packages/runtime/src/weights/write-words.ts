import type { ByteReader } from "./byte-reader.ts";

export interface WordTarget {
  readonly queue: Pick<GPUQueue, "writeBuffer">;
  readonly buffer: GPUBuffer;
  /** Where in the buffer to begin, in bytes: at a whole word. */
  readonly start: number;
}

/**
 * Writes the next bytes into a buffer, straight from the shards. WebGPU takes whole words only: one whose bytes lie in
 * two shards is put together first, and after the last byte there are zeros to the word's end.
 */
export async function writeWords(
  bytes: ByteReader,
  { name, storedBytes }: { readonly name: string; readonly storedBytes: number },
  { queue, buffer, start }: WordTarget,
): Promise<void> {
  const split = new Uint8Array(4);
  await bytes.read(storedBytes, name, (piece, at) => {
    const head = Math.min((4 - (at % 4)) % 4, piece.length);
    if (head > 0) split.set(piece.subarray(0, head), at % 4);
    if (head > 0 && (at + head) % 4 === 0) queue.writeBuffer(buffer, start + at + head - 4, split);
    const whole = piece.length - head - ((piece.length - head) % 4);
    if (whole > 0) queue.writeBuffer(buffer, start + at + head, piece, head, whole);
    const tail = piece.subarray(head + whole);
    if (tail.length > 0) split.fill(0).set(tail);
  });
  if (storedBytes % 4 > 0) queue.writeBuffer(buffer, start + storedBytes - (storedBytes % 4), split);
}
