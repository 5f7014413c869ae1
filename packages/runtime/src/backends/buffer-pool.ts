import { InferenceError } from "@nearside/core";

/** Buffers of one size and usage that are free. */
interface Shelf {
  readonly buffers: GPUBuffer[];
  /** How many of them nothing has needed since the last sweep. */
  idle: number;
}

// Long enough that what a model needs in each run, or in every few, stays; so it is at most this many runs too long.
const runsBetweenSweeps = 16;

/**
 * The buffers of a device, kept by size and usage for what needs the like again. It stands in for TensorFlow.js's
 * BufferManager, under its names: that keeps for ever whatever was once needed, so that each new shape of an input
 * adds to it.
 */
export class BufferPool {
  numBytesUsed = 0;
  numBytesAllocated = 0;
  readonly #device: GPUDevice;
  readonly #submit: () => void;
  #runs = 0;
  readonly #used = new Set<GPUBuffer>();
  readonly #shelves = new Map<string, Shelf>();

  /** `submit` submits the commands that were encoded: what they refer to must live until then. */
  constructor(device: GPUDevice, submit: () => void) {
    this.#device = device;
    this.#submit = submit;
  }

  /** A buffer, mapped if it is new. Throws `out-of-memory` for one that is larger than the device allows. */
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation = false, reuse = true): GPUBuffer {
    const shelf = reuse ? this.#shelves.get(keyOf(size, usage)) : undefined;
    const buffer = shelf?.buffers.pop() ?? this.#create({ size, usage, mappedAtCreation });
    if (shelf) shelf.idle = Math.min(shelf.idle, shelf.buffers.length);
    this.#used.add(buffer);
    this.numBytesUsed += size;
    return buffer;
  }

  /** Keeps a buffer that is no longer used, or destroys it. Does nothing for one that is gone already. */
  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    if (!this.#used.delete(buffer)) return;
    const { size, usage } = buffer;
    this.numBytesUsed -= size;
    if (!reuse) {
      this.#destroy(buffer);
      return;
    }
    const key = keyOf(size, usage);
    const shelf = this.#shelves.get(key) ?? { buffers: [], idle: 0 };
    this.#shelves.set(key, shelf);
    shelf.buffers.push(buffer);
  }

  /** Counts a run, and destroys now and then the free buffers that the last runs had no need of. */
  countRun(): void {
    if (++this.#runs % runsBetweenSweeps === 0) this.#sweep();
  }

  /** Destroys the free buffers. */
  trim(): void {
    for (let age = 0; age < 2; age++) this.#sweep(); // the second time all that is left has not been needed
  }

  /** Destroys the free buffers that nothing has needed since it was last called. */
  #sweep(): void {
    this.#submit();
    for (const [key, shelf] of this.#shelves) {
      for (const buffer of shelf.buffers.splice(0, shelf.idle)) this.#destroy(buffer);
      shelf.idle = shelf.buffers.length;
      if (shelf.idle === 0) this.#shelves.delete(key);
    }
  }

  /** Destroys all buffers, those in use as well. */
  dispose(): void {
    for (const { buffers } of this.#shelves.values()) for (const buffer of buffers) this.#destroy(buffer);
    for (const buffer of this.#used) this.#destroy(buffer);
    this.#shelves.clear();
    this.#used.clear();
    this.numBytesUsed = 0;
  }

  #create(descriptor: GPUBufferDescriptor): GPUBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    const isStorage = (descriptor.usage & GPUBufferUsage.STORAGE) !== 0;
    const maxBytes = isStorage ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize;
    if (descriptor.size > maxBytes) {
      const message = `a tensor of ${descriptor.size} bytes: expected at most ${maxBytes}, which this device allows`;
      throw new InferenceError("out-of-memory", `${message}; run smaller inputs, or on another backend`);
    }
    const buffer = this.#device.createBuffer(descriptor);
    this.numBytesAllocated += descriptor.size;
    return buffer;
  }

  #destroy(buffer: GPUBuffer): void {
    buffer.destroy();
    this.numBytesAllocated -= buffer.size;
  }
}

function keyOf(size: number, usage: GPUBufferUsageFlags): string {
  return `${size} ${usage}`;
}
