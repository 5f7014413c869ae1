/** Words that uniforms are laid out in, as WGSL aligns them: a vector of two words to two, longer ones to four. */
export class UniformWords {
  readonly #ints = new Int32Array(256);
  readonly #floats = new Float32Array(this.#ints.buffer);
  readonly #unsigned = new Uint32Array(this.#ints.buffer);
  #length = 0;
  #alignment = 1;
  #lastCount = 0;

  /** Begins anew. */
  clear(): void {
    this.#ints.fill(0, 0, this.#length);
    this.#length = 0;
    this.#alignment = 1;
    this.#lastCount = 0;
  }

  /** Adds a field: a number or a vector of up to six. An empty one is a 1, as in TensorFlow.js's shaders. */
  add(type: string, data: readonly number[]): void {
    const count = Math.max(data.length, 1);
    if (count > 6) throw new Error(`expected tensors of rank 6 at most, got ${count}`);
    // Vectors of five and six are structures in TensorFlow.js's shaders, and what follows a structure begins at four.
    const alignment = count > 2 || this.#lastCount > 4 ? 4 : count;
    const start = Math.ceil(this.#length / alignment) * alignment;
    const words = type === "int32" ? this.#ints : type === "uint32" ? this.#unsigned : this.#floats;
    if (data.length === 0) words[start] = 1;
    for (let index = 0; index < data.length; index++) words[start + index] = data[index] as number; // within
    this.#length = start + count;
    this.#lastCount = count;
    this.#alignment = Math.max(this.#alignment, alignment);
  }

  /** All fields so far; valid until the next call. */
  get words(): Int32Array {
    return this.#ints.subarray(0, Math.ceil(this.#length / this.#alignment) * this.#alignment);
  }
}

interface Entry {
  readonly words: Int32Array;
  readonly buffer: GPUBuffer;
}

const maxEntries = 10_000;

/**
 * Uniform buffers by what is in them. A run needs the same ones as the run before it, so none is written twice; and as
 * none ever changes, recorded commands may refer to them for as long as they like.
 */
export class UniformBuffers {
  readonly #device: GPUDevice;
  readonly #entries = new Map<number, Entry[]>();
  #count = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  bufferOf(words: Int32Array): GPUBuffer {
    const hash = hashOf(words);
    const alike = this.#entries.get(hash) ?? [];
    for (const entry of alike) if (isSame(entry.words, words)) return entry.buffer;
    // What commands refer to lives on; the rest the garbage collector takes.
    if (this.#count >= maxEntries) this.#entries.clear();
    this.#count = this.#entries.size === 0 ? 1 : this.#count + 1;
    const buffer = this.#device.createBuffer({
      size: words.byteLength,
      usage: GPUBufferUsage.UNIFORM,
      mappedAtCreation: true,
    });
    new Int32Array(buffer.getMappedRange()).set(words);
    buffer.unmap();
    this.#entries.set(hash, [...alike, { words: words.slice(), buffer }]);
    return buffer;
  }
}

/** FNV-1a over whole words. */
function hashOf(words: Int32Array): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < words.length; index++) hash = Math.imul(hash ^ (words[index] as number), 0x01000193);
  return hash;
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
