import { frames, image, type Session, type Tensors } from "nearside";
import { playing, record } from "./inputs.ts";
import { openTarget, type Target } from "./target.ts";

/** What the streams of a page have done so far, and what there is of them. */
export interface LiveReport {
  /** Frames of the video that were run. */
  readonly frames: number;
  /** Blocks of sound that were run, each with what the one before left. */
  readonly blocks: number;
  /** Blocks whose output was not what all blocks before it make of it. */
  readonly wrongBlocks: number;
  /** On the devices of both sessions. */
  readonly tensors: number;
  readonly deviceBytes: number;
  readonly failure: string | null;
}

const blockSamples = 600;
const sampleRate = 16_000;

let counts = { frames: 0, blocks: 0, wrongBlocks: 0 };
let failure: unknown = null;
let sessions: readonly Session[] = [];
let ending = new AbortController();

/** A tone in whole numbers, of which every backend computes exact sums, block by block as fast as it sounds. */
async function* microphone(): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
  const startMs = performance.now();
  for (let block = 0; ; block++) {
    const dueMs = startMs + (block * blockSamples * 1000) / sampleRate;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
    const sample = (at: number) => Math.round(100 * Math.sin((block * blockSamples + at) * 0.17));
    yield Float32Array.from({ length: blockSamples }, (_, at) => sample(at));
  }
}

async function watch(session: Session, video: HTMLVideoElement, size: number): Promise<void> {
  const inputs = async () => ({ image: await image(video, { size, channels: "grey" }) });
  for await (const _step of session.stream(frames(video), { inputs, signal: ending.signal })) counts.frames++;
}

/** Compares each output with hOut = x − h, computed here step by step. */
async function listen(session: Session): Promise<void> {
  const inputs = (x: Float32Array<ArrayBuffer>) =>
    ({ x: { dtype: "float32", shape: [1, blockSamples], data: x } }) as const;
  const h = new Float32Array(blockSamples);
  const options = { inputs, state: { h: "hOut" }, signal: ending.signal };
  for await (const { item, outputs } of session.stream(microphone(), options)) {
    const { y } = outputs as Tensors;
    item.forEach((value, at) => {
      h[at] = value - (h[at] as number);
    });
    counts.blocks++;
    if (!h.every((value, at) => y?.data[at] === 2 * value)) counts.wrongBlocks++;
  }
}

export const liveStreamCalls = {
  /** Begins to run a clip, again and again, through the digits model, and sound through the model of `stateSuite`. */
  beginLive: async (video: Target, sound: Target): Promise<void> => {
    counts = { frames: 0, blocks: 0, wrongBlocks: 0 };
    [failure, ending] = [null, new AbortController()];
    const clip = await record(await playing(), 30);
    clip.loop = true;
    await clip.play();
    const [seeing, hearing] = await Promise.all([openTarget(video), openTarget(sound)]);
    sessions = [seeing, hearing];
    const fail = (error: unknown) => {
      if (!ending.signal.aborted) failure ??= error;
    };
    watch(seeing, clip, 28).catch(fail);
    listen(hearing).catch(fail);
  },

  tellLive: async (): Promise<LiveReport> => {
    const memories = await Promise.all(sessions.map((session) => session.memory()));
    const sum = (key: "tensors" | "deviceBytes") => memories.reduce((total, each) => total + each[key], 0);
    return {
      ...counts,
      tensors: sum("tensors"),
      deviceBytes: sum("deviceBytes"),
      failure: failure === null ? null : String(failure),
    };
  },

  endLive: async (): Promise<void> => {
    ending.abort(new Error("it is over"));
    await Promise.all(sessions.map((session) => session.close()));
    sessions = [];
  },
};
