import type { Tensor } from "@nearside/core";
import type { Kernel, Kernels } from "./kernel.ts";
import { int32Tensor, invalid, numbersOf, numericTensor, pick, sizeOf } from "./plain-tensors.ts";

/** Ops that take tensors apart by places, put them together, or reduce onto places. */
export const partitionKernels: Kernels = {
  /** The slices of x in `num_partitions` tensors, each slice in the one that `partitions` tells. */
  DynamicPartition: {
    compute([x, partitions], attrs) {
      const input = x as Tensor; // it has two inputs
      const inner = input.shape.slice(partitions?.shape.length ?? 0);
      const targets = numbersOf(partitions);
      const count = attrs.int("num_partitions", 1);
      const wrong = targets.find((target) => target < 0 || target >= count);
      if (wrong !== undefined) throw invalid("DynamicPartition", `partition ${wrong} is not below ${count}`);
      return Array.from({ length: count }, (_, partition) => {
        const slices = targets.flatMap((target, slice) => (target === partition ? [slice] : []));
        return pick(input, [slices.length, ...inner], elementsOf(slices, sizeOf(inner)));
      });
    },
  },
  /** Slices put together: those of the i-th data at the places that the i-th indices tell, the last one winning. */
  DynamicStitch: stitch("DynamicStitch"),
  ParallelDynamicStitch: stitch("ParallelDynamicStitch"),
  /** The coordinates [rank, n] in a tensor of shape `dims` of the elements at flat `indices`. */
  UnravelIndex: {
    compute([indices, dims]) {
      const [flat, shape] = [numbersOf(indices), numbersOf(dims)];
      const wrong = flat.find((index) => index < 0 || index >= sizeOf(shape));
      if (wrong !== undefined) throw invalid("UnravelIndex", `index ${wrong} is outside [${shape}]`);
      const coordinates = shape.flatMap((size, axis) => {
        const stride = sizeOf(shape.slice(axis + 1));
        return flat.map((index) => Math.floor(index / stride) % size);
      });
      return int32Tensor([shape.length, ...(indices?.shape ?? [])], coordinates);
    },
  },
  /** The tensor with the largest, or the smallest, of each element and the updates at its place. */
  TensorScatterMax: scatterOnto("TensorScatterMax", Math.max),
  TensorScatterMin: scatterOnto("TensorScatterMin", Math.min),
  /** A tensor [shape, shape] with x on its diagonal, zeros elsewhere. */
  Diag: {
    compute([x]) {
      const { shape } = x as Tensor; // it has one input
      const size = sizeOf(shape);
      const values = new Array<number>(size * size).fill(0);
      for (const [index, value] of numbersOf(x).entries()) values[index * (size + 1)] = value;
      return numericTensor(x, [...shape, ...shape], values);
    },
  },
  /** The diagonal of a tensor [shape, shape]. */
  DiagPart: {
    compute([x]) {
      const { shape } = x as Tensor; // it has one input
      const half = shape.slice(0, shape.length / 2);
      if (shape.length % 2 !== 0 || half.some((size, axis) => size !== shape[axis + half.length])) {
        throw invalid("DiagPart", `expected a shape twice over, got [${shape}]`);
      }
      const size = sizeOf(half);
      return pick(
        x as Tensor,
        half,
        Array.from({ length: size }, (_, index) => index * (size + 1)),
      );
    },
  },
  /** Each window of `ksizes` as one pixel with all its values; beyond the border there are zeros. */
  ExtractImagePatches: {
    compute([images], attrs) {
      const input = images as Tensor; // it has one input
      const [batch = 0, height = 0, width = 0, channels = 0] = input.shape;
      const axes = [height, width].map((length, index) => {
        const [window = 1, stride = 1, rate = 1] = ["ksizes", "strides", "rates"].map(
          (name) => attrs.numbers(name)[index + 1],
        );
        const reach = (window - 1) * rate + 1;
        const isSame = attrs.text("padding", "VALID") === "SAME";
        const count = isSame ? Math.ceil(length / stride) : Math.max(0, Math.ceil((length - reach + 1) / stride));
        const before = isSame ? Math.floor(Math.max(0, (count - 1) * stride + reach - length) / 2) : 0;
        const sourceOf = (at: number, step: number) => {
          const source = at * stride - before + step * rate;
          return source >= 0 && source < length ? source : -1;
        };
        return { window, count, sourceOf };
      });
      const [down, across] = axes as [(typeof axes)[0], (typeof axes)[0]]; // of two lengths
      const places: number[] = [];
      for (let image = 0; image < batch; image++)
        for (let row = 0; row < down.count; row++)
          for (let column = 0; column < across.count; column++)
            for (let stepY = 0; stepY < down.window; stepY++)
              for (let stepX = 0; stepX < across.window; stepX++) {
                const [y, x] = [down.sourceOf(row, stepY), across.sourceOf(column, stepX)];
                const begin = ((image * height + y) * width + x) * channels;
                for (let channel = 0; channel < channels; channel++) places.push(y < 0 || x < 0 ? -1 : begin + channel);
              }
      return pick(input, [batch, down.count, across.count, down.window * across.window * channels], places);
    },
  },
};

const elementsOf = (slices: readonly number[], size: number) =>
  slices.flatMap((slice) => Array.from({ length: size }, (_, index) => slice * size + index));

function stitch(op: string): Kernel {
  return {
    compute(inputs) {
      const count = inputs.length / 2;
      const [indices, data] = [inputs.slice(0, count).map(numbersOf), inputs.slice(count)];
      const inner = data[0]?.shape.slice(inputs[0]?.shape.length) ?? [];
      const size = sizeOf(inner);
      const length = Math.max(-1, ...indices.flat()) + 1;
      if (indices.flat().some((index) => index < 0)) throw invalid(op, "an index is negative");
      const source: (readonly [tensor: number, slice: number] | undefined)[] = new Array(length).fill(undefined);
      for (const [tensor, places] of indices.entries()) {
        for (const [slice, place] of places.entries()) source[place] = [tensor, slice];
      }
      const isText = data[0]?.dtype === "string";
      const elements = source.flatMap((from) =>
        Array.from({ length: size }, (_, index) =>
          from === undefined ? (isText ? "" : 0) : data[from[0]]?.data[from[1] * size + index],
        ),
      );
      const shape = [length, ...inner];
      return isText
        ? { dtype: "string", shape, data: elements.map(String) }
        : numericTensor(data[0], shape, elements.map(Number));
    },
  };
}

function scatterOnto(op: string, combine: (a: number, b: number) => number): Kernel {
  return {
    compute([base, indices, updates]) {
      const { shape } = base as Tensor; // it has three inputs
      const depth = indices?.shape.at(-1) ?? 0;
      const size = sizeOf(shape.slice(depth));
      const [result, places, given] = [[...numbersOf(base)], numbersOf(indices), numbersOf(updates)];
      for (let slice = 0; slice * size < given.length; slice++) {
        const row = places.slice(slice * depth, (slice + 1) * depth);
        const isOutside = row.some((index, axis) => index < 0 || index >= (shape[axis] ?? 0));
        if (isOutside) throw invalid(op, `index [${row}] is outside [${shape}]`);
        const begin = row.reduce((place, index, axis) => place * (shape[axis] ?? 1) + index, 0) * size;
        for (let index = 0; index < size; index++) {
          result[begin + index] = combine(result[begin + index] ?? 0, given[slice * size + index] ?? 0);
        }
      }
      return numericTensor(base, shape, result);
    },
  };
}
