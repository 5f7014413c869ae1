import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

const pollMs = 5;

/**
 * Runs a command to its end and gives its wall seconds and its peak resident memory (VmHWM, of this one process,
 * polled from /proc, so Linux only). Throws if it fails.
 */
export async function measureProcess(command, args) {
  const startMs = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  const errors = [];
  child.stderr.on("data", (text) => errors.push(text));
  let peakBytes = 0;
  const poll = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => ""); // it may just have ended
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
    if (kilobytes) peakBytes = Math.max(peakBytes, Number(kilobytes) * 1024);
  }, pollMs);
  const [status] = await once(child, "exit");
  clearInterval(poll);
  const seconds = (performance.now() - startMs) / 1000;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit ${status}\n${errors.join("")}`);
  return { seconds, peakBytes };
}

/** The middle one, or the mean of the two in the middle; NaN of none. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
}
