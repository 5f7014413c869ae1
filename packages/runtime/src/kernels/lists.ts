import {
  concat,
  expandDims,
  gather,
  reshape,
  scalar,
  slice,
  type Tensor as TfjsTensor,
  zeros,
} from "@tensorflow/tfjs-core";
import type { Kernels } from "./kernel.ts";
import { invalid } from "./plain-tensors.ts";

/**
 * Lists of tensors of one shape, as one tensor with the elements along its first axis: values that loops and branches
 * hand on like any other. A list of n elements of which none was set, so that their shape isn't known yet, is [n, 0].
 */
export const listKernels: Kernels = {
  /** (element shape, n) to a list of n zeros. */
  NearsideListReserve: {
    reads: [0, 1],
    compose(_, attrs, { 0: elementShape = [], 1: [count = 0] = [] }) {
      const isKnown = elementShape.every((size) => size >= 0);
      return zeros([count, ...(isKnown ? elementShape : [0])], dtypeOf(attrs.type("element_dtype", "DT_FLOAT")));
    },
  },
  /** (list, index, element) to the list with that element in the index's place; longer if that is beyond its end. */
  NearsideListSet: {
    reads: [1],
    compose([given, , element], _, { 1: [index = 0] = [] }) {
      const value = expandDims(element as TfjsTensor, 0); // it has three inputs
      const list = withElements(given as TfjsTensor, value, "NearsideListSet");
      const length = list.shape[0] ?? 0;
      if (index < 0) throw invalid("NearsideListSet", `expected an index from 0, got ${index}`);
      const rest = list.shape.slice(1);
      const part = (from: number, to: number) => slice(list, [from, ...rest.map(() => 0)], [to - from, ...rest]);
      const parts = [
        part(0, Math.min(index, length)),
        ...(index > length ? [zeros([index - length, ...rest], list.dtype)] : []),
        value,
        ...(index + 1 < length ? [part(index + 1, length)] : []),
      ];
      const filled = parts.filter(({ shape }) => shape[0] !== 0);
      return filled.length === 1 ? value : concat(filled, 0);
    },
  },
  /** (list, index, element shape) to that element. */
  NearsideListGet: {
    reads: [1, 2],
    compose([given], _, { 1: [index = 0] = [], 2: elementShape = [] }) {
      const list = known(given as TfjsTensor, elementShape, "NearsideListGet");
      const [length = 0, ...rest] = list.shape;
      if (index < 0 || index >= length) {
        throw invalid("NearsideListGet", `expected an index below ${length}, got ${index}`);
      }
      return reshape(slice(list, [index, ...rest.map(() => 0)], [1, ...rest]), rest);
    },
  },
  /** (list, indices, element shape) to those elements, along a new first axis. */
  NearsideListGather: {
    reads: [2],
    compose([given, indices], _, { 2: elementShape = [] }) {
      return gather(known(given as TfjsTensor, elementShape, "NearsideListGather"), indices as TfjsTensor, 0);
    },
  },
  /** (list, element shape) to all elements, along a new first axis. */
  NearsideListStack: {
    reads: [1],
    compose: ([given], _, { 1: elementShape = [] }) => known(given as TfjsTensor, elementShape, "NearsideListStack"),
  },
  /** (list, element) to the list with one more element at its end. */
  NearsideListPush: {
    compose([given, element]) {
      const value = expandDims(element as TfjsTensor, 0);
      const list = withElements(given as TfjsTensor, value, "NearsideListPush");
      return list.shape[0] === 0 ? value : concat([list, value], 0);
    },
  },
  /** The number of elements. */
  NearsideListLength: { compose: ([list]) => scalar(list?.shape[0] ?? 0, "int32") },
};

function dtypeOf(type: string): "float32" | "int32" | "bool" {
  if (type === "DT_BOOL") return "bool";
  return /^DT_(HALF|BFLOAT16|FLOAT|DOUBLE)$/.test(type) ? "float32" : "int32";
}

function isUnset({ shape }: TfjsTensor): boolean {
  return shape.length === 2 && shape[1] === 0;
}

/** The list with elements of the shape that `value` [1, …] has. */
function withElements(list: TfjsTensor, value: TfjsTensor, op: string): TfjsTensor {
  const [length = 0, ...shape] = list.shape;
  const wanted = value.shape.slice(1);
  if (String(shape) === String(wanted)) return list;
  if (isUnset(list)) return zeros([length, ...wanted], value.dtype);
  throw invalid(op, `expected an element [${shape}] like the others, got [${wanted}]`);
}

/** The list with zeros where no element was set. */
function known(list: TfjsTensor, elementShape: readonly number[], op: string): TfjsTensor {
  if (!isUnset(list)) return list;
  if (!elementShape.every((size) => size >= 0)) {
    throw invalid(op, "expected a list with an element that was set, as nothing else tells the elements' shape");
  }
  return zeros([list.shape[0] ?? 0, ...elementShape], list.dtype);
}
