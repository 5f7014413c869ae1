import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";

/** How often a process is looked at. */
const intervalMs = 100;

/** What a process may hold unless told otherwise: three quarters of what this one's container, or the machine, has. */
export function defaultMemoryLimitBytes(): number {
  const constrained = process.constrainedMemory?.() ?? 0; // 0, or more than there is, where nothing constrains it
  return 0.75 * (constrained > 0 ? Math.min(constrained, totalmem()) : totalmem());
}

/**
 * Ends a process that holds more memory than it may, and tells how much it was. All of it counts, WebAssembly's and a
 * native library's too, which no flag of Node limits. Works where there is /proc, which is on Linux.
 */
export function watchMemory(child: ChildProcess, limitBytes: number, onExceeded: (bytes: number) => void): () => void {
  const timer = setInterval(async () => {
    const bytes = await residentBytes(child.pid);
    if (bytes === undefined || bytes <= limitBytes) return;
    clearInterval(timer);
    onExceeded(bytes);
    child.kill("SIGKILL");
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** What a process holds of the machine's memory now; undefined where that can't be told. */
async function residentBytes(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
