import { kernelNames, type SimdKernels } from "../code/simd-kernels.ts";
import { cells, type TeamMemory } from "./team-memory.ts";

/** Takes groups and does them, until none is left. */
export function doGroups(memory: TeamMemory, kernels: SimdKernels): void {
  const { control } = memory;
  for (let group = takeGroup(control); group >= 0; group = takeGroup(control)) {
    try {
      doGroup(memory, kernels, group);
    } catch {
      Atomics.store(control, cells.hasFailed, 1); // the thread that waits for the round throws
    }
    Atomics.add(control, cells.done, 1);
    Atomics.notify(control, cells.done);
  }
}

/** The number of a group that no other thread takes; −1 if there is none. */
function takeGroup(control: Int32Array<SharedArrayBuffer>): number {
  for (;;) {
    const open = Atomics.load(control, cells.open);
    const left = open & 0xffff;
    if (left === 0) return -1;
    if (Atomics.compareExchange(control, cells.open, open, open - 1) === open) return left - 1;
  }
}

function doGroup({ starts, operands }: TeamMemory, kernels: SimdKernels, group: number): void {
  const end = starts[group + 1] as number; // it is among the groups
  for (let at = starts[group] as number; at < end; ) {
    const [kernel, count] = [operands[at] as number, operands[at + 1] as number];
    const name = kernelNames[kernel] as (typeof kernelNames)[number]; // the team wrote its number
    kernels[name](...operands.subarray(at + 2, at + 2 + count));
    at += 2 + count;
  }
}
