/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** True once in `times`. */
  oneIn(times: number): boolean;
  /** One of a list that isn't empty. */
  pick<T>(list: readonly T[]): T;
  /** A size from 1 to 2^`bits`, small ones as likely as large ones. */
  size(bits: number): number;
}

/** Mulberry32, a generator with 32 bits of state. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (list) => list[below(list.length)] as (typeof list)[number], // below its length
    size: (bits) => Math.ceil(2 ** (next() * bits)),
  };
}

/** The seed of one of many mutations of a model that a run makes: any of them can be made again alone. */
export function seedOf(model: string, run: number, index: number): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (const byte of new TextEncoder().encode(`${model} ${run} ${index}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
