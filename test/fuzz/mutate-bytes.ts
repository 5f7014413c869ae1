import type { Random } from "./random.ts";

/** The bytes with a few bits flipped, a part cut off, lengths blown up, and so on. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  return random.pick(mutations)(bytes, random);
}

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const mutations: readonly Mutation[] = [
  function flipBits(bytes, random) {
    const flipped = bytes.slice();
    for (let left = random.size(4); left > 0; left--) {
      const at = random.below(bytes.length);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
    }
    return flipped;
  },
  function setBytes(bytes, random) {
    const set = bytes.slice();
    for (let left = random.size(4); left > 0; left--) {
      set[random.below(bytes.length)] = random.pick([0, 1, 127, 128, 255, random.below(256)]);
    }
    return set;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
  function cutOut(bytes, random) {
    const [from, length] = [random.below(bytes.length), random.size(10)];
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
  },
  function repeat(bytes, random) {
    const [from, length] = [random.below(bytes.length), random.size(10)];
    const part = bytes.subarray(from, from + length);
    return Buffer.concat([bytes.subarray(0, from), ...new Array(random.size(6)).fill(part), bytes.subarray(from)]);
  },
  function splice(bytes, random) {
    const [from, to, length] = [random.below(bytes.length), random.below(bytes.length), random.size(10)];
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, from + length), bytes.subarray(to + length)]);
  },
  function blowUpLength(bytes, random) {
    const at = random.below(bytes.length);
    const huge = random.pick([
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    ]);
    return Buffer.concat([bytes.subarray(0, at), Uint8Array.from(huge), bytes.subarray(at + 1)]);
  },
  function empty() {
    return new Uint8Array(0);
  },
];
