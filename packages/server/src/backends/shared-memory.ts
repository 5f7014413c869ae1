import { closeSync, openSync, unlinkSync } from "node:fs";
import { join } from "node:path";

/** Where Linux keeps files in memory. */
const memoryFolder = "/dev/shm";

/** A part of the memory, one run's until the run is over. */
export interface Lease {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Memory that two processes share, as a file without a name: what is in it goes with the last process that has it open.
 * The one who made it gives parts of it away.
 */
export class SharedMemory {
  readonly fd: number;
  /** Parts that nobody uses, by their size, which is a power of two. */
  readonly #free = new Map<number, Lease[]>();
  #end = 0;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** New memory; undefined where the system has none. */
  static create(): SharedMemory | undefined {
    const path = join(memoryFolder, `nearside-${crypto.randomUUID()}`);
    try {
      const fd = openSync(path, "wx+", 0o600);
      unlinkSync(path);
      return new SharedMemory(fd);
    } catch {
      return undefined; // not Linux, or a container without it: tensors go with the messages
    }
  }

  /** A part of at least so many bytes. */
  lease(bytes: number): Lease {
    const size = 2 ** Math.ceil(Math.log2(bytes));
    const free = this.#free.get(size)?.pop();
    if (free) return free;
    this.#end += size;
    return { at: this.#end - size, bytes: size };
  }

  /** Takes back what a run had. */
  release(lease: Lease): void {
    const free = this.#free.get(lease.bytes) ?? [];
    free.push(lease);
    this.#free.set(lease.bytes, free);
  }

  close(): void {
    closeSync(this.fd);
  }
}
