import { cast, type Rank, reshape, sparseToDense, type Tensor as TfjsTensor, tile } from "@tensorflow/tfjs-core";
import { broadcastPlaces } from "./broadcast.ts";
import type { Kernels } from "./kernel.ts";
import { invalid, sizeOf } from "./plain-tensors.ts";
import { bytesOf, stringsOf } from "./string-bytes.ts";

/** Ops that move elements about and on which TensorFlow.js on wasm aborts where those are strings, or booleans. */
export const stringPlacingKernels: Kernels = {
  /** A tensor of `shape` with `values` (a scalar, or one each) at `indices` (a scalar, [n] or [n, rank]), else `otherwise`. */
  SparseToDense: {
    reads: [0, 1],
    compose([indices, , values, otherwise], _, { 0: places = [], 1: shape = [] }) {
      const [at, given, sizes] = [indices as TfjsTensor, values as TfjsTensor, [...shape]]; // it has four inputs
      if (given.dtype === "string") return placeStrings(places, sizes, given, otherwise as TfjsTensor);
      const value = given.dtype === "bool" ? cast(given, "int32") : given;
      const fallback = cast(reshape<Rank.R0>(otherwise as TfjsTensor, []), value.dtype);
      return cast(sparseToDense(at, value, sizes, fallback), given.dtype);
    },
  },
  /** The tensor again and again: `multiples` times along each axis. */
  Tile: {
    reads: [1],
    compose([x], _, { 1: times = [] }) {
      const input = x as TfjsTensor; // it has two inputs
      if (times.length !== input.rank || times.some((count) => count < 0)) {
        throw invalid("Tile", `expected how often, from 0, for each axis of [${input.shape}], got [${times}]`);
      }
      return input.dtype === "string" ? tileStrings(input, times) : tile(input, [...times]);
    },
  },
};

function tileStrings(input: TfjsTensor, times: readonly number[]): TfjsTensor {
  const shape = input.shape.map((size, axis) => size * (times[axis] ?? 1));
  const bytes = bytesOf(input);
  const repeated = broadcastPlaces(input.shape, shape).map((place) => bytes[place] as Uint8Array); // places within the input
  return stringsOf(repeated, shape);
}

const none = new Uint8Array();

function placeStrings(
  places: readonly number[],
  shape: readonly number[],
  values: TfjsTensor,
  otherwise: TfjsTensor,
): TfjsTensor {
  const rank = shape.length;
  const [given, [fallback = none]] = [bytesOf(values), bytesOf(otherwise)];
  const result = new Array<Uint8Array>(sizeOf(shape)).fill(fallback);
  for (let entry = 0; entry < places.length / rank; entry++) {
    const place = shape.reduce((sum, size, axis) => {
      const index = places[entry * rank + axis] ?? 0;
      if (index < 0 || index >= size) throw invalid("SparseToDense", `index ${index} is outside [${shape.join(",")}]`);
      return sum * size + index;
    }, 0);
    result[place] = given[values.rank === 0 ? 0 : entry] ?? none;
  }
  return stringsOf(result, shape);
}
