import type { Progress, Session } from "nearside";
import { element } from "./element.ts";
import type { OpenedModel } from "./recogniser.ts";

const runsKept = 20;

/** Shows where the model runs, how fast, and where its bytes came from. */
export interface FactsView {
  showModel(model: OpenedModel): void;
  addRun(runMs: number): void;
  /** Forgets the session that is no longer used. */
  clear(): void;
}

/** Returns the view over the facts and the sentence about privacy. */
export function createFactsView(): FactsView {
  const backend = element("backend", HTMLElement);
  const runTime = element("run-time", HTMLElement);
  const openTime = element("open-time", HTMLElement);
  const source = element("source", HTMLElement);
  const privacy = element("privacy", HTMLElement);
  let runsMs: number[] = [];

  function clear(): void {
    runsMs = [];
    for (const fact of [backend, runTime, openTime, source]) fact.textContent = "";
  }

  return {
    clear,
    showModel({ session, openMs, progress }) {
      clear();
      const { networkBytes, cachedBytes } = splitBytes(progress);
      backend.textContent = session.location === "local" ? session.backend : `server (${session.backend})`;
      backend.dataset.location = session.location;
      openTime.textContent = formatMs(openMs);
      source.dataset.networkBytes = String(networkBytes);
      source.dataset.cachedBytes = String(cachedBytes);
      source.textContent = session.location === "local" ? formatSource(networkBytes, cachedBytes) : "on the server";
      privacy.textContent = privacySentence(session);
    },
    addRun(runMs) {
      runsMs = [...runsMs, runMs].slice(-runsKept);
      runTime.textContent = formatMs(median(runsMs));
    },
  };
}

function splitBytes(progress: Progress | undefined): { networkBytes: number; cachedBytes: number } {
  if (!progress) return { networkBytes: 0, cachedBytes: 0 };
  return { networkBytes: progress.loadedBytes - progress.cachedBytes, cachedBytes: progress.cachedBytes };
}

function privacySentence({ location, signature }: Session): string {
  if (location === "local") return "Your drawing never leaves this device.";
  const values = signature.inputs.image?.shape?.reduce<number>((product, size) => product * (size ?? 1), 1) ?? 0;
  return `Your drawing is sent to the server: ${values * Float32Array.BYTES_PER_ELEMENT} bytes for each run.`;
}

function formatSource(networkBytes: number, cachedBytes: number): string {
  if (cachedBytes === 0) return `${formatBytes(networkBytes)} from the network`;
  if (networkBytes === 0) return `${formatBytes(cachedBytes)} from the cache`;
  return `${formatBytes(networkBytes)} network, ${formatBytes(cachedBytes)} cache`;
}

/** Kilobytes of 1000 bytes, as browsers show them. */
export function formatBytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} KB`;
}

/** Milliseconds, or seconds from one second on. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}
