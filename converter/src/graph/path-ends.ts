import type { TensorRef } from "./graph.ts";

/**
 * Finds where the path from a tensor ends that `next` leads along, or undefined where it goes around in a ring. What
 * was walked for one tensor isn't walked again for another.
 */
export function pathEnds(next: (ref: TensorRef) => TensorRef | undefined): (ref: TensorRef) => TensorRef | undefined {
  const ends = new Map<string, TensorRef | "ring">();
  const walk = (start: TensorRef, passed: string[]): TensorRef | "ring" => {
    let at = start;
    for (let after = next(at); after !== undefined; after = next(at)) {
      const key = `${at.output} ${at.node}`;
      const known = ends.get(key);
      if (known !== undefined) return known;
      ends.set(key, "ring"); // unless it turns out to end: then nothing comes by here again
      passed.push(key);
      at = after;
    }
    return at;
  };
  return (start) => {
    const passed: string[] = [];
    const end = walk(start, passed);
    for (const key of passed) ends.set(key, end);
    return end === "ring" ? undefined : end;
  };
}
