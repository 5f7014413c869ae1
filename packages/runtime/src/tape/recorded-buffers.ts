import type { BufferPool } from "../backends/buffer-pool.ts";

/**
 * Takes the place of the pool of buffers during a recording. A buffer that is released serves later commands
 * of the recording, but never goes back to the pool: whoever got it from there would find it overwritten by the next
 * replay. What was written when it was made (a constant) is never written over.
 */
export class RecordedBuffers {
  readonly #pool: BufferPool;
  readonly #free = new Map<string, GPUBuffer[]>();
  readonly #constants = new Set<GPUBuffer>();
  readonly #released = new Set<GPUBuffer>();

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** The buffers that no tensor has any more. What a tensor still has, say a weight, is the tensor's. */
  get released(): readonly GPUBuffer[] {
    return [...this.#released];
  }

  acquireBuffer(size: number, usage: number, mappedAtCreation = false): GPUBuffer {
    if (mappedAtCreation) {
      const buffer = this.#pool.acquireBuffer(size, usage, true, false); // a new one, so that it is mapped
      this.#constants.add(buffer);
      return buffer;
    }
    const buffer = this.#free.get(keyOf(size, usage))?.pop() ?? this.#pool.acquireBuffer(size, usage);
    this.#released.delete(buffer);
    return buffer;
  }

  releaseBuffer(buffer: GPUBuffer): void {
    this.#released.add(buffer);
    if (this.#constants.has(buffer)) return;
    const key = keyOf(buffer.size, buffer.usage);
    const free = this.#free.get(key) ?? [];
    this.#free.set(key, free);
    free.push(buffer);
  }
}

function keyOf(size: number, usage: number): string {
  return `${size} ${usage}`;
}
