/** What a browser's audio thread has, as far as it is needed: TypeScript's library doesn't know it. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new (options: AudioWorkletNodeOptions) => object): void;

/** Sends the page what it hears, in blocks of `length` samples. */
class Samples extends AudioWorkletProcessor {
  readonly #length: number;
  #block: Float32Array<ArrayBuffer>;
  #filled = 0;

  constructor({ processorOptions }: AudioWorkletNodeOptions) {
    super();
    this.#length = processorOptions.length;
    this.#block = new Float32Array(this.#length);
  }

  /** Called for each 128 samples; without a channel while there is no sound to hear. True, or it would end. */
  process([input]: Float32Array[][]): true {
    for (const sample of input?.[0] ?? []) {
      this.#block[this.#filled++] = sample;
      if (this.#filled < this.#length) continue;
      this.port.postMessage(this.#block, [this.#block.buffer]);
      this.#block = new Float32Array(this.#length);
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor("nearside-samples", Samples);
