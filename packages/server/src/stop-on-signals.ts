import { existsSync, readFileSync } from "node:fs";

/** How long a server that is told to stop may take for what. */
export interface StopTimes {
  /** How long SIGTERM lets it serve on, not ready, until clients have heard of it. SIGINT, a person's, doesn't wait. */
  readonly drainMs: number;
  /** How long it may take in all, before what is not finished is dropped. */
  readonly limitMs: number;
}

/**
 * Ends the process when it is told to: not ready at once, then no new connections, then whatever is in flight or queued
 * is finished. Exits with 0, or 1 where that took longer than the limit. A second signal ends it at once.
 */
export function stopOnSignals(
  server: { drain(): void; close(): Promise<void> },
  { drainMs, limitMs, tell }: StopTimes & { readonly tell: (message: string) => void },
): void {
  const stop = async (signal: NodeJS.Signals) => {
    for (const each of signals) {
      process.removeAllListeners(each);
      process.once(each, exitAtOnce);
    }
    tell(`${signal}: finishing what is in flight`);
    setTimeout(() => {
      tell(`not finished after ${limitMs} ms: giving up`);
      exitAtOnce();
    }, limitMs);
    server.drain();
    if (signal === "SIGTERM") await new Promise((resolve) => setTimeout(resolve, Math.min(drainMs, limitMs)));
    await server.close();
    process.exit(0); // a GPU's handle would keep the process
  };
  for (const signal of signals) process.once(signal, () => void stop(signal));
}

/** Ends this process and those that it started: one that hangs would not notice that the server is gone. */
function exitAtOnce(): never {
  for (const pid of children()) process.kill(pid, "SIGKILL");
  process.exit(1);
}

/** The processes that this one has started, where there is /proc. */
function children(): readonly number[] {
  const path = `/proc/${process.pid}/task/${process.pid}/children`;
  return existsSync(path) ? readFileSync(path, "utf8").trim().split(" ").filter(Boolean).map(Number) : [];
}

const signals = ["SIGTERM", "SIGINT"] as const;
