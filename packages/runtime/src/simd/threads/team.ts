import type { Calls } from "../calls.ts";
import { type KernelName, kernelNames, type SimdKernels } from "../code/simd-kernels.ts";
import { doGroups } from "./do-groups.ts";
import { cells, createTeamMemory, maxGroups, type TeamMemory } from "./team-memory.ts";

/** Another thread, that runs {@link serveTeam}. */
export type Teammate = Pick<MessagePort, "postMessage">;

/** What a teammate is sent. */
export interface TeamInvitation {
  readonly memory: TeamMemory;
  readonly module: WebAssembly.Module;
  readonly kernelMemory: WebAssembly.Memory;
}

const numbers = new Map(kernelNames.map((name, index) => [name, index]));

/**
 * Calls kernels in several threads: calls are written down, and taken from there group by group, by this thread and its
 * teammates. A teammate that isn't ready yet, or busy, is not waited for.
 */
export class Team implements Calls {
  readonly threads: number;
  readonly #kernels: SimdKernels;
  readonly #memory = createTeamMemory();
  #round = 0;
  #groups = 0;
  #end = 0;

  constructor(kernels: SimdKernels, teammates: readonly Teammate[], rest: Omit<TeamInvitation, "memory">) {
    this.threads = teammates.length + 1;
    this.#kernels = kernels;
    for (const teammate of teammates) teammate.postMessage({ memory: this.#memory, ...rest } satisfies TeamInvitation);
  }

  call(kernel: KernelName, ...operands: readonly number[]): void {
    const written = this.#memory.operands;
    if (this.#end + operands.length + 2 > written.length) throw new RangeError("a group of too many calls");
    written[this.#end++] = numbers.get(kernel) as number; // each has one
    written[this.#end++] = operands.length;
    for (const operand of operands) written[this.#end++] = operand;
  }

  endGroup(): void {
    const { starts, operands } = this.#memory;
    if (this.#end === starts[this.#groups]) return;
    starts[++this.#groups] = this.#end;
    if (this.#groups === maxGroups || this.#end > operands.length / 2) this.finish();
  }

  finish(): void {
    this.endGroup();
    const groups = this.#groups;
    if (groups === 0) return;
    const { control } = this.#memory;
    this.#round = (this.#round + 1) & 0x7fff;
    Atomics.store(control, cells.done, 0);
    Atomics.store(control, cells.open, (this.#round << 16) | groups);
    if (groups > 1) Atomics.notify(control, cells.open);
    doGroups(this.#memory, this.#kernels);
    for (let done = Atomics.load(control, cells.done); done < groups; done = Atomics.load(control, cells.done)) {
      Atomics.wait(control, cells.done, done);
    }
    this.#groups = 0;
    this.#end = 0;
    if (Atomics.exchange(control, cells.hasFailed, 0))
      throw new WebAssembly.RuntimeError("a kernel broke off in a thread");
  }
}
