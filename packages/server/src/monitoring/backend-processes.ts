import { readFile } from "node:fs/promises";
import { Gauge, type Registry } from "prom-client";
import type { ServerEvent } from "../server-event.ts";

type ProcessEvent = ServerEvent & { readonly type: "process" };

/** The processes that run models. */
export interface BackendProcesses {
  add(event: ProcessEvent): void;
}

/** Linux counts a process's CPU time in hundredths of a second. */
const ticksPerSecond = 100;

/** The memory and CPU time of the processes that run models, where there is /proc. Those that ended are left out. */
export function backendProcesses(registers: [Registry]): BackendProcesses {
  const processes = new Map<number, ProcessEvent>();
  const labelNames = ["model", "backend"] as const;
  const usage = async () => {
    const all = [...processes].map(async ([pid, { model, backend }]) => {
      const usage = await readUsage(pid);
      if (!usage) processes.delete(pid);
      return usage && { model, backend, ...usage };
    });
    return (await Promise.all(all)).filter((each) => each !== undefined);
  };
  new Gauge({
    ...{
      name: "nearside_backend_resident_memory_bytes",
      help: "What a model's processes hold.",
      registers,
      labelNames,
    },
    async collect() {
      this.reset();
      for (const { model, backend, residentBytes } of await usage()) this.inc({ model, backend }, residentBytes);
    },
  });
  new Gauge({
    ...{ name: "nearside_backend_cpu_seconds", help: "CPU time of a model's processes that run now.", registers },
    labelNames,
    async collect() {
      this.reset();
      for (const { model, backend, cpuSeconds } of await usage()) this.inc({ model, backend }, cpuSeconds);
    },
  });
  return { add: (event) => void processes.set(event.pid, event) };
}

/** What a process of this one's uses; undefined where it has ended, or its number is another's by now. */
async function readUsage(pid: number): Promise<{ residentBytes: number; cpuSeconds: number } | undefined> {
  const [stat, status] = await Promise.all(
    ["stat", "status"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
  );
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? []; // after the name, which may hold anything
  const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number);
  const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(status ?? "")?.[1];
  if (parent !== process.pid || kibibytes === undefined) return undefined;
  return { residentBytes: Number(kibibytes) * 1024, cpuSeconds: ((user ?? 0) + (system ?? 0)) / ticksPerSecond };
}
