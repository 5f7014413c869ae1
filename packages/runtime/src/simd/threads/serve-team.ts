import { startSimdKernels } from "../code/simd-kernels.ts";
import { doGroups } from "./do-groups.ts";
import type { TeamInvitation } from "./team.ts";
import { cells } from "./team-memory.ts";

/** Makes this worker a thread of the team that invites it. It then does nothing else until it is terminated. */
export async function serveTeam({ memory, module, kernelMemory }: TeamInvitation): Promise<never> {
  const kernels = await startSimdKernels(module, kernelMemory);
  for (;;) {
    doGroups(memory, kernels);
    const open = Atomics.load(memory.control, cells.open);
    if ((open & 0xffff) === 0) Atomics.wait(memory.control, cells.open, open);
  }
}
