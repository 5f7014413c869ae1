import {
  type AudioOptions,
  audio,
  frames,
  type ImageOptions,
  type ImageSource,
  image,
  readImage,
  samples,
} from "nearside";

import { settle } from "./target.ts";

/** A picture of 4 × 2 pixels: two of each of these colours in each row. */
const colours = ["rgb(255 0 0)", "rgb(0 51 255)"] as const;

function draw(scale = 1): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = 4 * scale;
  canvas.height = 2 * scale;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  for (const [index, colour] of colours.entries()) {
    context.fillStyle = colour;
    context.fillRect(2 * scale * index, 0, 2 * scale, 2 * scale);
  }
  return canvas;
}

const toBlob = (canvas: HTMLCanvasElement): Promise<Blob> =>
  new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no blob")))));

/** A video that shows it, larger, since codecs blur at edges; a line moves, so that there are new frames. */
export async function playing(): Promise<HTMLVideoElement> {
  const canvas = draw(16);
  const context = canvas.getContext("2d");
  let at = 0;
  const move = () => {
    context?.fillRect(32, at++ % 32, 1, 1);
    requestAnimationFrame(move);
  };
  move();
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = canvas.captureStream(30);
  await video.play();
  return video;
}

/** A clip of so many frames of a video, that plays. */
export async function record(video: HTMLVideoElement, count: number): Promise<HTMLVideoElement> {
  const recorder = new MediaRecorder(video.srcObject as MediaStream); // playing made it so
  const parts: Blob[] = [];
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  recorder.start();
  for (let frame = 0; frame < count; frame++) await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  recorder.stop();
  await stopped;
  const clip = document.createElement("video");
  clip.muted = true;
  clip.src = URL.createObjectURL(new Blob(parts));
  await clip.play();
  return clip;
}

/** The same picture as each thing that has pixels. */
const sources = {
  canvas: async () => draw(),
  offscreen: async () => {
    const canvas = new OffscreenCanvas(4, 2);
    canvas.getContext("2d")?.drawImage(draw(), 0, 0);
    return canvas;
  },
  imageData: async () => draw().getContext("2d")?.getImageData(0, 0, 4, 2) as ImageData, // it has a context
  bitmap: async () => createImageBitmap(draw()),
  blob: async () => toBlob(draw()),
  element: async () => {
    const element = new Image();
    element.src = URL.createObjectURL(await toBlob(draw()));
    await element.decode();
    return element;
  },
  frame: async () => new VideoFrame(draw(), { timestamp: 0 }),
  video: () => playing(),
} satisfies Record<string, () => Promise<ImageSource>>;

export type SourceName = keyof typeof sources;

export const inputCalls = {
  readImage: async (name: SourceName, options: ImageOptions) => {
    const { shape, data } = await readImage(await image(await sources[name](), options));
    return { shape, data: [...data] };
  },

  /** The times of the first frames of a video that is playing; each takes as long as three frames. */
  readFrames: async (count: number) => {
    const video = await playing();
    const times: number[] = [];
    for await (const time of frames(video)) {
      times.push(time);
      if (times.length === count) break;
      for (let skipped = 0; skipped < 3; skipped++)
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    }
    return times;
  },

  /** Goes through a clip to its end, or until it is taken back; tells how many frames that were. */
  endFrames: async (how: "end" | "abort" | "empty") => {
    const video = await record(await playing(), 10);
    const controller = new AbortController();
    let count = 0;
    try {
      for await (const _time of frames(video, { signal: controller.signal })) {
        if (++count === 1 && how === "abort") controller.abort(new Error("enough"));
        if (count === 1 && how === "empty") video.removeAttribute("src");
        if (count === 1 && how === "empty") video.load();
      }
      return "ended";
    } catch (error) {
      return (error as Error).message;
    }
  },

  /** Goes through a video that can't be played, from when that is known, or before. */
  failFrames: (when: "before" | "while") =>
    settle(
      (async () => {
        const video = document.createElement("video");
        const failed = new Promise((resolve) => video.addEventListener("error", resolve, { once: true }));
        video.src = URL.createObjectURL(new Blob(["no video"], { type: "video/webm" }));
        if (when === "before") await failed;
        for await (const _time of frames(video)) return "a frame";
        return "ended";
      })(),
    ),

  /** Hears what ended before, or is taken back while it begins. */
  hearNothing: async (how: "end" | "abort") => {
    const context = new AudioContext();
    const { stream } = new MediaStreamAudioDestinationNode(context);
    const controller = new AbortController();
    if (how === "end") for (const track of stream.getAudioTracks()) track.stop();
    const first = samples(stream, { rate: 16_000, length: 160, signal: controller.signal }).next();
    if (how === "abort") controller.abort(new Error("enough"));
    try {
      return (await first).done ? "ended" : "a block";
    } catch (error) {
      return (error as Error).message;
    } finally {
      await context.close();
    }
  },

  refuseSamples: async (rate: number, length: number) => {
    const context = new AudioContext();
    const { stream } = new MediaStreamAudioDestinationNode(context);
    const outcome = await settle(samples(stream, { rate, length }).next());
    await context.close();
    return outcome;
  },

  refuseAudio: (options: AudioOptions) => settle(audio(new Float32Array(10), options)),

  readNoTone: async (options: AudioOptions) => [...(await audio(new Float32Array(0), options)).data],

  /** Hears a tone in blocks of a tenth of a second until it ends, or is taken back: how often the blocks cross zero. */
  hearTone: async (hertz: number, rate: number, blocks: number, how: "end" | "abort") => {
    const context = new AudioContext();
    const oscillator = new OscillatorNode(context, { frequency: hertz });
    const { stream } = oscillator.connect(
      new MediaStreamAudioDestinationNode(context),
    ) as MediaStreamAudioDestinationNode;
    oscillator.start();
    const controller = new AbortController();
    const crossings: number[] = [];
    try {
      for await (const block of samples(stream, { rate, length: rate / 10, signal: controller.signal })) {
        crossings.push(block.filter((sample, at) => at > 0 && (block[at - 1] as number) < 0 && sample >= 0).length);
        if (crossings.length < blocks) continue;
        if (how === "abort") controller.abort(new Error("enough"));
        const [track] = stream.getAudioTracks();
        track?.stop();
        track?.dispatchEvent(new Event("ended")); // browsers send it only when others end it
      }
      return { crossings, ending: "ended" };
    } catch (error) {
      return { crossings, ending: (error as Error).message };
    } finally {
      await context.close();
    }
  },

  /** A tone of 1 s, read at another rate: its shape, and how often it crosses zero. */
  readTone: async (hertz: number, sourceRate: number, options: AudioOptions, asBuffer: boolean) => {
    const samples = Float32Array.from({ length: sourceRate }, (_, at) =>
      Math.sin((2 * Math.PI * hertz * at) / sourceRate),
    );
    const buffer = new AudioBuffer({ length: sourceRate, sampleRate: sourceRate, numberOfChannels: 2 });
    for (const channel of [0, 1]) buffer.copyToChannel(samples, channel);
    const { shape, data } = await audio(asBuffer ? buffer : samples, { sourceRate, ...options });
    let crossings = 0;
    for (let at = 1; at < data.length; at++) if ((data[at - 1] as number) < 0 && (data[at] as number) >= 0) crossings++;
    return { shape, crossings };
  },
};
