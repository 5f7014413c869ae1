/** Picks a part of what comes, from 0 for nothing to 1 for all: every so many, evenly. */
export function createSampler(rate: number): () => boolean {
  let owed = 0;
  return () => {
    owed += rate;
    if (owed < 1) return false;
    owed -= 1;
    return true;
  };
}
