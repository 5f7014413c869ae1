import { InferenceError } from "@nearside/core";
import { workerScript } from "../worker-scripts.ts";

export interface SamplesOptions {
  /** Samples per second that the model takes. */
  readonly rate: number;
  /** Samples in a block. */
  readonly length: number;
  /** Ends the loop: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The sound of a microphone or of another stream, block by block, as samples from −1 to 1: all channels mixed to one, and
 * resampled by the browser. Ends with the stream's sound; what doesn't fill a block then is left out. Blocks wait until
 * they are taken. As all that plays, it begins once the page was touched, or may use the microphone. Rejects with
 * `invalid-argument` where there is no sound, or none at this rate.
 */
export async function* samples(
  source: MediaStream,
  { rate, length, signal }: SamplesOptions,
): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
  signal?.throwIfAborted();
  const [track] = source.getAudioTracks();
  if (!track) throw new InferenceError("invalid-argument", "samples: expected a stream with sound, got one without");
  const context = openContext(rate, length);
  const over = new AbortController();
  try {
    await context.audioWorklet.addModule(workerScript("samples"));
    signal?.throwIfAborted();
    const node = new AudioWorkletNode(context, "nearside-samples", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { length },
    });
    const blocks = new ReadableStream<Float32Array<ArrayBuffer>>({
      start(controller) {
        const end = (settle: () => void) => {
          over.abort();
          node.port.onmessage = null; // nothing can follow
          settle();
        };
        node.port.onmessage = ({ data }) => controller.enqueue(data);
        track.addEventListener("ended", () => end(() => controller.close()), over);
        if (track.readyState === "ended") end(() => controller.close());
        signal?.addEventListener("abort", () => end(() => controller.error(signal.reason)), over);
      },
    });
    context.createMediaStreamSource(source).connect(node);
    const reader = blocks.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    over.abort();
    await context.close();
  }
}

function openContext(rate: number, length: number): AudioContext {
  try {
    if (Number.isSafeInteger(length) && length > 0) return new AudioContext({ sampleRate: rate });
  } catch (cause) {
    const message = `samples: expected a rate that the browser has, got ${rate}: ${(cause as Error).message}`; // a DOMException
    throw new InferenceError("invalid-argument", message, { cause });
  }
  throw new InferenceError("invalid-argument", `samples: expected a length of whole samples, got ${length}`);
}
