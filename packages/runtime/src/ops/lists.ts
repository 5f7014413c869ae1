import { InferenceError } from "@nearside/core";
import {
  concat,
  split,
  stack,
  type TensorInfo,
  type Tensor as TfjsTensor,
  unstack,
  zeros,
} from "@tensorflow/tfjs-core";
import { computedType } from "../kernels/kernel-attrs.ts";
import { compose } from "../plan/composed.ts";
import { type Device, makeTensor } from "../plan/device.ts";
import type { Ops, ValueOp } from "../plan/op.ts";
import { isTensor, retain, type TensorList, type Value } from "../plan/value.ts";

type Shape = readonly number[] | undefined;

/**
 * Lists of tensors: `TensorList…`, and TensorFlow 1's `TensorArray…V3`, whose list goes where its flow goes. A list is
 * a value: what changes it makes another one, which shares the elements.
 */
export const listOps: Ops = {
  EmptyTensorList: {
    reads: [0],
    run: (_, attrs, { 0: shape }) => newList([], attrs.type("element_dtype", "DT_FLOAT"), shape),
  },
  TensorListReserve: {
    reads: [0, 1],
    run: (_, attrs, { 0: shape, 1: [count = 0] = [] }) =>
      newList(emptyElements(count), attrs.type("element_dtype", "DT_FLOAT"), shape),
  },
  TensorListFromTensor: {
    reads: [1],
    run: ([value], attrs, { 1: shape }, device) =>
      newList(rowsOf(value, device), attrs.type("element_dtype", "DT_FLOAT"), shape),
  },
  TensorListScatter: listScatterOp(),
  TensorListScatterV2: listScatterOp(),
  TensorListSplit: {
    reads: [1, 2],
    run: ([value], attrs, { 1: shape, 2: lengths = [] }, device) =>
      newList(partsOf(value, lengths, device), attrs.type("element_dtype", "DT_FLOAT"), shape),
  },
  TensorListGetItem: {
    reads: [1, 2],
    run: ([list], _, { 1: [index = 0] = [], 2: shape }, device) => elementOf(list, index, shape, device),
  },
  TensorListSetItem: {
    reads: [1],
    run: ([list, , value], _, { 1: [index = 0] = [] }, device) => withElement(list, index, value, device),
  },
  TensorListPushBack: {
    run: ([list, value], _, __, device) => withElement(list, listOf(list).elements.length, value, device),
  },
  TensorListPopBack: {
    reads: [1],
    run([list], _, { 1: shape }, device) {
      const source = listOf(list);
      const last = elementOf(source, source.elements.length - 1, shape, device);
      return [copied(source, source.elements.slice(0, -1), device), last];
    },
  },
  TensorListStack: { reads: [1], run: ([list], _, { 1: shape }, device) => stacked(listOf(list), shape, device) },
  TensorListGather: {
    reads: [1, 2],
    run: ([list], _, { 1: indices, 2: shape }, device) => stacked(chosen(listOf(list), indices), shape, device),
  },
  TensorListConcat: { run: ([list], _, __, device) => joined(listOf(list), device) },
  TensorListConcatV2: { run: ([list], _, __, device) => joined(listOf(list), device) },
  TensorListLength: { run: ([list], _, __, device) => integers([listOf(list).elements.length], [], device) },
  TensorListResize: {
    reads: [1],
    run([list], _, { 1: [size = 0] = [] }, device) {
      const source = listOf(list);
      return copied(
        source,
        Array.from({ length: size }, (_, index) => source.elements[index] ?? null),
        device,
      );
    },
  },
  TensorArrayV3: {
    reads: [0],
    run(_, attrs, { 0: [size = 0] = [] }, device) {
      const list = newList(emptyElements(size), attrs.type("dtype", "DT_FLOAT"), undefined);
      return [list, retain(list, device)];
    },
  },
  TensorArrayWriteV3: {
    reads: [1],
    run: ([, , value, flow], _, { 1: [index = 0] = [] }, device) => withElement(flow, index, value, device),
  },
  TensorArrayReadV3: {
    reads: [1],
    run: ([, , flow], _, { 1: [index = 0] = [] }, device) => elementOf(flow, index, undefined, device),
  },
  TensorArrayGatherV3: {
    reads: [1],
    run: ([, , flow], _, { 1: indices }, device) => stacked(chosen(listOf(flow), indices), undefined, device),
  },
  TensorArrayScatterV3: {
    reads: [1],
    run: ([, , value, flow], _, { 1: indices }, device) => scattered(listOf(flow), value, indices, device),
  },
  TensorArrayConcatV3: { run: ([, flow], _, __, device) => joined(listOf(flow), device) },
  TensorArraySplitV3: {
    reads: [2],
    run([, value, , flow], _, { 2: lengths = [] }, device) {
      return { ...listOf(flow), elements: partsOf(value, lengths, device), refs: 1 };
    },
  },
  TensorArraySizeV3: { run: ([, flow], _, __, device) => integers([listOf(flow).elements.length], [], device) },
};

function listScatterOp(): ValueOp {
  return {
    reads: [1, 2, 3],
    run([value], attrs, { 1: indices = [], 2: shape, 3: [count = -1] = [] }, device) {
      const size = Math.max(count, 0, ...indices.map((index) => index + 1));
      const list = newList(emptyElements(size), attrs.type("element_dtype", "DT_FLOAT"), shape);
      return scattered(list, value, indices, device);
    },
  };
}

function newList(elements: readonly (TensorInfo | null)[], type: string, shape: Shape): TensorList {
  // −1 alone stands for a shape of unknown rank, whether it came as a scalar or, as TensorFlow.js reads it, a vector.
  const elementShape = shape?.length === 1 && shape[0] === -1 ? undefined : shape;
  return { kind: "list", elements, dtype: computedType(type), elementShape, refs: 1 };
}

function emptyElements(count: number): readonly null[] {
  return new Array<null>(count).fill(null);
}

function copied(source: TensorList, elements: readonly (TensorInfo | null)[], device: Device): TensorList {
  for (const element of elements) if (element) retain(element, device);
  return { ...source, elements, refs: 1 };
}

/** An array grows to what is written into it. */
function withElement(list: Value | undefined, index: number, value: Value | undefined, device: Device): TensorList {
  const source = listOf(list);
  if (index < 0) throw outside(index, source);
  const elements = [...source.elements, ...emptyElements(Math.max(0, index - source.elements.length))];
  elements[index] = tensorOf(value);
  return copied(source, elements, device);
}

/** An element, for the caller to hold; zeros where none was set, as TensorFlow has it. */
function elementOf(list: Value | undefined, index: number, shape: Shape, device: Device): TensorInfo {
  const source = listOf(list);
  const element = source.elements[index];
  if (element === undefined) throw outside(index, source);
  return element === null ? zeroElement(source, shape, device) : retain(element, device);
}

function zeroElement(source: TensorList, shape: Shape, device: Device): TensorInfo {
  const known = [source.elements.find((element) => element !== null)?.shape, shape, source.elementShape].find(
    (candidate) => candidate?.every((size) => size >= 0),
  );
  if (known === undefined) throw invalid("an element was read that was never set, and its shape is unknown");
  return first(compose(device, [], () => zeros([...known], source.dtype as "float32"))); // of numbers: strings are set
}

function chosen(source: TensorList, indices: readonly number[] = []): TensorList {
  const elements = indices.map((index) => source.elements[index]);
  if (elements.includes(undefined)) throw outside(indices[elements.indexOf(undefined)] ?? 0, source);
  return { ...source, elements: elements as (TensorInfo | null)[] }; // none is undefined
}

/** The elements along a new first axis; where there are none, their shape tells the rest. */
function stacked(source: TensorList, shape: Shape, device: Device): TensorInfo {
  const elements = source.elements.map((_, index) => elementOf(source, index, shape, device));
  try {
    if (elements.length > 0) return first(compose(device, elements, (tensors) => stack([...tensors])));
    const known = source.elementShape ?? shape ?? [];
    const sizes = [0, ...known.map((size) => Math.max(0, size))];
    return first(compose(device, [], () => zeros(sizes, source.dtype as "float32")));
  } finally {
    for (const element of elements) device.backend.disposeData(element.dataId);
  }
}

/** The elements end to end, and how long each is. */
function joined(source: TensorList, device: Device): readonly TensorInfo[] {
  const elements = source.elements.filter((element) => element !== null);
  const lengths = elements.map(({ shape }) => shape[0] ?? 0);
  const known = (source.elementShape ?? [0]).map((size, axis) => (axis === 0 ? 0 : Math.max(0, size)));
  const values = compose(device, elements, (tensors) =>
    tensors.length === 0 ? zeros(known, source.dtype as "float32") : concat([...tensors]),
  );
  return [first(values), integers(lengths, [lengths.length], device)];
}

function scattered(
  list: TensorList,
  value: Value | undefined,
  indices: readonly number[] = [],
  device: Device,
): TensorList {
  const rows = rowsOf(value, device);
  const size = Math.max(list.elements.length, ...indices.map((index) => index + 1));
  const elements = Array.from({ length: size }, (_, index) => list.elements[index] ?? null);
  for (const [row, index] of indices.entries()) elements[index] = rows[row] ?? null;
  for (const element of list.elements) if (element && elements.includes(element)) retain(element, device);
  return { ...list, elements, refs: 1 };
}

function rowsOf(value: Value | undefined, device: Device): readonly TensorInfo[] {
  return compose(device, [tensorOf(value)], ([tensor]) => unstack(tensor as TfjsTensor)); // one went in
}

function partsOf(value: Value | undefined, lengths: readonly number[], device: Device): readonly TensorInfo[] {
  return compose(device, [tensorOf(value)], ([tensor]) => split(tensor as TfjsTensor, [...lengths]));
}

function integers(values: readonly number[], shape: readonly number[], device: Device): TensorInfo {
  return makeTensor(device, Int32Array.from(values), shape, "int32");
}

function first(tensors: readonly TensorInfo[]): TensorInfo {
  return tensors[0] as TensorInfo; // one was computed
}

function listOf(value: Value | undefined): TensorList {
  if (value !== undefined && !isTensor(value) && value.kind === "list") return value;
  throw invalid("expected a list of tensors, got another value");
}

function tensorOf(value: Value | undefined): TensorInfo {
  if (value !== undefined && isTensor(value)) return value;
  throw invalid("expected a tensor, got another value");
}

function outside(index: number, { elements }: TensorList): InferenceError {
  return invalid(`element ${index} of a list that has ${elements.length}`);
}

function invalid(message: string): InferenceError {
  return new InferenceError("invalid-argument", `list of tensors: ${message}`);
}
