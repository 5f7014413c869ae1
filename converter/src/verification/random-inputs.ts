import { dataLength, dtypes, type Signature, type Tensor, type TensorSpec, type Tensors } from "@nearside/core";

/** Sizes for the dimensions that a signature leaves free: the first one, the batch, and the others. */
export type FreeSizes = readonly [first: number, other: number];

/** The sizes that there are, in the order in which they are tried. */
export const sizesToTry: readonly FreeSizes[] = [
  [2, 16],
  [1, 64],
  [1, 1],
];

/**
 * Inputs that fit a signature, the same ones for the same seed: numbers from −1 to 1, integers from 0 to 3, truth
 * values, and words.
 */
export function randomInputs({ inputs }: Signature, sizes: FreeSizes, seed: number): Tensors {
  const random = randomNumbers(seed + 1);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, spec]) => [name, randomTensor(spec, sizes, random)] as const),
  );
}

const words = ["the", "quick", "brown", "fox", "is", "never", "lazy", ""] as const;

function randomTensor({ dtype, shape: free }: TensorSpec, sizes: FreeSizes, random: () => number) {
  const shape = (free ?? [null]).map((size, axis) => size ?? sizes[axis === 0 ? 0 : 1]);
  const length = dataLength(dtype, shape);
  const draw = (below: number) => Math.floor(random() * below);
  if (dtype === "string") {
    return { dtype, shape, data: Array.from({ length }, () => words[draw(words.length)] ?? "") } satisfies Tensor;
  }
  const data = new dtypes[dtype].array(length);
  for (let index = 0; index < length; index++) data[index] = drawNumber();
  return { dtype, shape, data } as Tensor; // the array of its dtype

  function drawNumber(): number {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) return BigInt(draw(4)) as unknown as number;
    if (dtype === "bool") return draw(2);
    return data instanceof Float32Array || data instanceof Float64Array ? 2 * random() - 1 : draw(4);
  }
}

/** Numbers from 0 up to 1 by xorshift32. */
function randomNumbers(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
