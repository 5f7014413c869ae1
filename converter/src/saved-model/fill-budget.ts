import { damaged } from "../damaged.ts";

/** Counts the memory that constants take beyond what stands in the file. */
export interface FillBudget {
  /** Throws `data-loss` once it is more than a model may have. */
  spend(bytes: number): void;
}

/**
 * What the constants of a graph may take: each may be given as one element and a shape, so a small file could hold
 * thousands of large ones.
 */
export function createFillBudget(where: string): FillBudget {
  let spentBytes = 0;
  return {
    spend(bytes) {
      spentBytes += bytes;
      if (spentBytes <= maxBytes) return;
      throw damaged(where, `at most ${maxBytes} bytes of constants that are filled with one element`, `${spentBytes}`);
    },
  };
}

const maxBytes = 2 ** 27;
