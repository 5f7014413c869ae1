import type { PlainTensors } from "../../plain-tensors.ts";
import type { ContenderWindow, ModelUrls } from "./contender.ts";

/** What is measured: a page of a contender, and a model. */
export interface Trial {
  readonly page: string;
  readonly backend: "wasm" | "webgpu";
  readonly model: ModelUrls;
  readonly inputs: PlainTensors;
}

/** Milliseconds from showing the contender's page to its first result. */
export interface FirstResult {
  /** Until the library is loaded and its backend started. */
  readonly libraryMs: number;
  /** From there until the model has given its first outputs. */
  readonly modelMs: number;
}

export interface Started extends FirstResult {
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

const runs: (() => Promise<unknown>)[] = [];

/** What the benchmark calls in the page. */
const calls = {
  /** Shows a contender's page and runs its model once; it is then ready for {@link warmRuns}. */
  async start({ page, backend, model, inputs }: Trial): Promise<Started> {
    const startMs = performance.now();
    const contender = await show(page);
    await contender.load(backend);
    const loadedMs = performance.now();
    contender.feed(inputs);
    const openMs = performance.now();
    await contender.open(model);
    const results = await contender.run();
    const endMs = performance.now();
    runs.push(contender.run);
    const outputs = Object.fromEntries(Object.entries(results).map(([name, values]) => [name, Array.from(values)]));
    return { libraryMs: loadedMs - startMs, modelMs: endMs - openMs, outputs };
  },

  /** Milliseconds of each of `rounds` runs of all that were started, which take turns; each round begins with another. */
  async warmRuns(rounds: number): Promise<readonly (readonly number[])[]> {
    const times: number[][] = runs.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < runs.length; turn++) {
        const index = (round + turn) % runs.length;
        const startMs = performance.now();
        await runs[index]?.();
        times[index]?.push(performance.now() - startMs);
      }
    }
    return times;
  },
};

export type PageCalls = typeof calls;
Object.assign(globalThis, { calls });

async function show(page: string) {
  const frame = document.createElement("iframe");
  frame.src = page;
  document.body.append(frame);
  await new Promise((resolve) => frame.addEventListener("load", resolve, { once: true })); // its script has run by then
  const { contender } = frame.contentWindow as ContenderWindow;
  if (!contender) throw new Error(`${page}: its script failed`);
  return contender;
}
