import { InferenceError } from "@nearside/core";

export interface FramesOptions {
  /** Ends the loop: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The frames of a video as they are shown, each by its time in the video in seconds, until it ends or is taken away. Whoever takes
 * longer than a frame gets the newest one next, and none waits: `for await (const time of frames(video)) { … }`, with
 * `image(video)` in it. Rejects with `unavailable` if it can't be played.
 */
export async function* frames(video: HTMLVideoElement, { signal }: FramesOptions = {}): AsyncGenerator<number, void> {
  for (;;) {
    signal?.throwIfAborted();
    const time = await nextFrame(video, signal);
    if (time === undefined) return;
    yield time;
  }
}

/** It was played to its end, or has another source now, or can't be played. */
const ends = ["ended", "emptied", "error"] as const;

/** The time of the next frame; undefined if the video ends before. */
function nextFrame(video: HTMLVideoElement, signal: AbortSignal | undefined): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const finish = (settle: () => void) => {
      video.cancelVideoFrameCallback(request);
      over.abort();
      settle();
    };
    const onEnd = () => {
      const message = `frames: the video can't be played: ${video.error?.message}`;
      finish(() => (video.error ? reject(new InferenceError("unavailable", message)) : resolve(undefined)));
    };
    const request = video.requestVideoFrameCallback((_now, { mediaTime }) => finish(() => resolve(mediaTime)));
    for (const end of ends) video.addEventListener(end, onEnd, over);
    signal?.addEventListener("abort", () => finish(() => reject(signal.reason)), over);
    if (video.ended || video.error) onEnd();
  });
}
