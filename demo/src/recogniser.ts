import type { Progress, Session } from "nearside";
import { type Digits, type Place, readDigit } from "./digits-model.ts";

/** Opens the model in a place. */
export type OpenPlace = (place: Place, onProgress: (progress: Progress) => void) => Promise<Session<Digits>>;

/** A session and how it came to be open. */
export interface OpenedModel {
  readonly session: Session<Digits>;
  readonly openMs: number;
  /** The last report of the download; undefined where nothing was downloaded. */
  readonly progress: Progress | undefined;
}

/** What a recogniser tells the page, in the order it happens. */
export interface RecogniserListener {
  onOpening(place: Place, progress?: Progress): void;
  onReady(model: OpenedModel): void;
  onResult(probabilities: Float32Array, runMs: number): void;
  onError(error: unknown): void;
  /** `isBusy` may have changed. */
  onActivity(): void;
}

/** Reads one drawing after another, wherever the model runs. */
export interface Recogniser {
  /** Runs the model there from now on; opened on first use, and again after an error. */
  use(place: Place): Promise<void>;
  /** The drawing as it is now; undefined while the pad is empty. */
  see(image: Float32Array<ArrayBuffer> | undefined): void;
  /** True until the last drawing seen has its result, or its error. */
  isBusy(): boolean;
}

/**
 * Makes a recogniser. Never two runs at once: while one is in flight only the newest drawing is kept, and it is read
 * next. Results for a place or a drawing that is no longer wanted are dropped.
 */
export function createRecogniser(openPlace: OpenPlace, listener: RecogniserListener): Recogniser {
  const models = new Map<Place, Promise<OpenedModel>>();
  let wanted: Place | undefined; // undefined after an error
  let current: { readonly place: Place; readonly model: OpenedModel } | undefined;
  let switched = new AbortController(); // aborted when the place changes
  let latest: Float32Array<ArrayBuffer> | undefined;
  let isWaiting = false; // latest still has to be read
  let isRunning = false;

  function open(place: Place): Promise<OpenedModel> {
    const opened = openModel(openPlace, place, (progress) => {
      if (place === wanted) listener.onOpening(place, progress);
    });
    models.set(place, opened);
    return opened;
  }

  async function use(place: Place): Promise<void> {
    switched.abort();
    switched = new AbortController();
    const { signal } = switched;
    wanted = place;
    current = undefined;
    isWaiting = latest !== undefined;
    listener.onOpening(place);
    listener.onActivity();
    try {
      const model = await (models.get(place) ?? open(place));
      if (signal.aborted) return;
      current = { place, model };
      listener.onReady(model);
      await readLatest();
    } catch (error) {
      models.delete(place); // so that trying again opens it anew
      if (!signal.aborted) stop(error);
    }
  }

  function stop(error: unknown): void {
    wanted = undefined;
    current = undefined;
    listener.onError(error);
    listener.onActivity();
  }

  async function readLatest(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    while (current && latest && isWaiting) {
      const { signal } = switched;
      const image = latest;
      isWaiting = false;
      try {
        const started = performance.now();
        const probabilities = await readDigit(current.model.session, image, signal);
        if (latest !== undefined && !signal.aborted) listener.onResult(probabilities, performance.now() - started);
      } catch (error) {
        if (!signal.aborted) fail(error);
      }
    }
    isRunning = false;
    listener.onActivity();
  }

  /** After a run failed: the session may be of no more use, so it is closed, whether or not it still can be. */
  function fail(error: unknown): void {
    if (!current) return;
    models.delete(current.place);
    void Promise.allSettled([current.model.session.close()]);
    stop(error);
  }

  return {
    use,
    see(image) {
      latest = image;
      isWaiting = image !== undefined;
      void readLatest();
      listener.onActivity();
    },
    isBusy: () => isRunning || (isWaiting && wanted !== undefined),
  };
}

async function openModel(
  openPlace: OpenPlace,
  place: Place,
  onProgress: (progress: Progress) => void,
): Promise<OpenedModel> {
  const started = performance.now();
  let progress: Progress | undefined;
  const session = await openPlace(place, (report) => {
    progress = report;
    onProgress(report);
  });
  return {
    session,
    openMs: performance.now() - started,
    progress: session.location === "local" ? progress : undefined,
  };
}
