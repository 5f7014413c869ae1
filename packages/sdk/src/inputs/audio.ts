import { InferenceError, type Tensor } from "@nearside/core";

export interface AudioOptions {
  /** Samples per second that the model takes. */
  readonly rate: number;
  /** Samples per second of a Float32Array (default `rate`); an AudioBuffer knows its own. */
  readonly sourceRate?: number;
  /** So many samples: what is longer is cut off, what is shorter followed by silence. By default as many as there are. */
  readonly length?: number;
}

/**
 * Sound as a float32 tensor of samples from −1 to 1, `[length]`: all channels mixed to one, and resampled by the browser
 * beside the calling thread, which must be a page's where the rates differ. Rejects with `invalid-argument` for rates
 * that it doesn't have.
 */
export async function audio(
  source: AudioBuffer | Float32Array<ArrayBuffer>,
  { rate, sourceRate = rate, length }: AudioOptions,
): Promise<Tensor<"float32">> {
  const isSamples = source instanceof Float32Array;
  if (!(rate > 0 && sourceRate > 0)) throw invalid(`rates above 0, got ${rate} and ${sourceRate}`);
  if (!(length === undefined || (Number.isSafeInteger(length) && length >= 0))) {
    throw invalid(`a length of whole samples, got ${length}`);
  }
  const isReady = isSamples
    ? sourceRate === rate || source.length === 0
    : source.sampleRate === rate && source.numberOfChannels === 1;
  const samples = isReady ? samplesOf(source) : await resample(source, sourceRate, rate);
  const data = fit(samples, length ?? samples.length);
  return { dtype: "float32", shape: [data.length], data };
}

function samplesOf(source: AudioBuffer | Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  return source instanceof Float32Array ? source : source.getChannelData(0);
}

function bufferOf(samples: Float32Array<ArrayBuffer>, sampleRate: number): AudioBuffer {
  const buffer = new AudioBuffer({ length: samples.length, sampleRate });
  buffer.copyToChannel(samples, 0);
  return buffer;
}

async function resample(
  source: AudioBuffer | Float32Array<ArrayBuffer>,
  sourceRate: number,
  rate: number,
): Promise<Float32Array<ArrayBuffer>> {
  if (typeof OfflineAudioContext === "undefined") {
    const message = `audio: only a page can resample; call it there, or give samples of ${rate} Hz`;
    throw new InferenceError("unsupported", message);
  }
  try {
    const buffer = source instanceof Float32Array ? bufferOf(source, sourceRate) : source;
    const context = new OfflineAudioContext(1, Math.ceil(buffer.duration * rate), rate);
    const node = new AudioBufferSourceNode(context, { buffer });
    node.connect(context.destination);
    node.start();
    return (await context.startRendering()).getChannelData(0);
  } catch (cause) {
    throw invalid(`sound and a rate that the browser can resample: ${(cause as Error).message}`, cause); // a DOMException
  }
}

function invalid(expected: string, cause?: unknown): InferenceError {
  return new InferenceError("invalid-argument", `audio: expected ${expected}`, { cause });
}

function fit(samples: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (length <= samples.length) return samples.slice(0, length); // a copy, which may be handed over
  const longer = new Float32Array(length);
  longer.set(samples);
  return longer;
}
