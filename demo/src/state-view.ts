import type { Progress } from "nearside";
import type { Place } from "./digits-model.ts";
import { element } from "./element.ts";
import { formatBytes } from "./facts-view.ts";

/** Shows whether the model is opening, ready or in trouble; also as `data-state` of the document, for tests. */
export interface StateView {
  opening(place: Place, progress?: Progress): void;
  ready(): void;
  failed(error: unknown): void;
}

/** Returns the view; `onRetry` is called when a person asks to try again. */
export function createStateView(onRetry: () => void): StateView {
  const status = element("status", HTMLElement);
  const download = element("download", HTMLProgressElement);
  const errorBox = element("error", HTMLElement);
  const errorMessage = element("error-message", HTMLElement);
  element("retry", HTMLButtonElement).addEventListener("click", onRetry);

  function enter(state: "opening" | "ready" | "error"): void {
    document.documentElement.dataset.state = state;
    errorBox.hidden = state !== "error";
  }

  return {
    opening(place, progress) {
      const isDownloading = progress?.totalBytes && progress.loadedBytes < progress.totalBytes;
      if (isDownloading) download.value = progress.loadedBytes / (progress.totalBytes ?? 1);
      else download.removeAttribute("value"); // how long connecting or compiling takes is not known
      status.textContent = isDownloading
        ? `Loading ${formatBytes(progress.loadedBytes)} of ${formatBytes(progress.totalBytes ?? 0)}`
        : { browser: "Opening the model", server: "Connecting to the server" }[place];
      enter("opening");
    },
    ready: () => enter("ready"),
    failed(error) {
      errorMessage.textContent = error instanceof Error ? error.message : String(error);
      enter("error");
    },
  };
}
