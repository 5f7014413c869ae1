import { encodeText, type Tensor } from "@nearside/core";
import { type Feature, readExample } from "./example-proto.ts";
import type { Kernels } from "./kernel.ts";
import type { KernelAttrs } from "./kernel-attrs.ts";
import { int32Tensor, invalid, sizeOf, textsOf } from "./plain-tensors.ts";

/**
 * Ops that read serialized tf.Examples, [n] or one. Each gives, for its keys in order: the indices [k, 2] of all sparse
 * features, then all their values [k], then all their shapes [2]; the dense features [n, …]; the values and the row
 * splits [n + 1] of the ragged ones. A dense feature that an example lacks is its default, and an error without one.
 */
export const exampleKernels: Kernels = {
  ParseExampleV2: {
    compute([serialized, _names, sparse, dense, ragged, ...defaults], attrs) {
      const keys = { sparse: textsOf(sparse), dense: textsOf(dense), ragged: textsOf(ragged) };
      return parseExamples(serialized as Tensor, { ...keys, defaults }, attrs);
    },
  },
  ParseExample: {
    compute([serialized, _names, ...inputs], attrs) {
      const [sparseCount, denseCount] = [attrs.int("Nsparse", 0), attrs.int("Ndense", 0)];
      const keys = inputs.slice(0, sparseCount + denseCount).map((key) => textsOf(key)[0] ?? "");
      const [sparse, dense] = [keys.slice(0, sparseCount), keys.slice(sparseCount)];
      const defaults = inputs.slice(sparseCount + denseCount);
      return parseExamples(serialized as Tensor, { sparse, dense, ragged: [], defaults }, attrs);
    },
  },
};

interface Keys {
  readonly sparse: readonly string[];
  readonly dense: readonly string[];
  readonly ragged: readonly string[];
  /** Of the dense features; an empty one means that the feature must be there. */
  readonly defaults: readonly Tensor[];
}

type Examples = readonly ReadonlyMap<string, Feature>[];

function parseExamples(serialized: Tensor, keys: Keys, attrs: KernelAttrs): readonly Tensor[] {
  const examples = textsOf(serialized).map((text) => readExample(encodeText(text)));
  const isOne = serialized.shape.length === 0;
  const sparse = keys.sparse.map((key, index) => parseSparse(examples, key, attrs.types("sparse_types")[index], isOne));
  const ragged = keys.ragged.map((key, index) => parseRagged(examples, key, attrs.types("ragged_value_types")[index]));
  const dense = keys.dense.map((key, index) => {
    const shape = attrs.shapes("dense_shapes")[index] ?? [];
    const parsed = parseDense(examples, { key, shape, missing: keys.defaults[index] as Tensor }); // one for each
    return isOne ? { ...parsed, shape: parsed.shape.slice(1) } : parsed;
  });
  return [
    ...sparse.map(({ indices }) => indices),
    ...sparse.map(({ values }) => values),
    ...sparse.map(({ shape }) => shape),
    ...dense,
    ...ragged.map(({ values }) => values),
    ...ragged.map(({ splits }) => splits),
  ];
}

function parseSparse(examples: Examples, key: string, type: string | undefined, isOne: boolean) {
  const rows = examples.map((example) => valuesOf(example.get(key), typed(type), key));
  const indices = rows.flatMap((values, row) => values.flatMap((_, column) => (isOne ? [column] : [row, column])));
  const longest = Math.max(0, ...rows.map(({ length }) => length));
  const values = tensorOf(typed(type), rows.flat());
  const rank = isOne ? 1 : 2;
  const shape = isOne ? [longest] : [rows.length, longest];
  return { indices: int32Tensor([indices.length / rank, rank], indices), values, shape: int32Tensor([rank], shape) };
}

function parseRagged(examples: Examples, key: string, type: string | undefined) {
  const rows = examples.map((example) => valuesOf(example.get(key), typed(type), key));
  const splits = [0];
  for (const { length } of rows) splits.push((splits.at(-1) ?? 0) + length);
  return { values: tensorOf(typed(type), rows.flat()), splits: int32Tensor([splits.length], splits) };
}

interface DenseFeature {
  readonly key: string;
  /** Of one example; −1 in front for as many as the longest has, the others padded with the default. */
  readonly shape: readonly number[];
  readonly missing: Tensor;
}

function parseDense(examples: Examples, { key, shape, missing }: DenseFeature): Tensor {
  const dtype = typedLike(missing);
  const inner = sizeOf(shape.slice(1));
  const rows = examples.map((example) => (example.has(key) ? valuesOf(example.get(key), dtype, key) : undefined));
  const isOpen = shape[0] !== undefined && shape[0] < 0;
  const longest = isOpen ? Math.max(0, ...rows.map((values = []) => values.length / inner)) : (shape[0] ?? 1);
  const size = isOpen ? longest * inner : sizeOf(shape);
  const values = rows.flatMap((found): readonly (number | bigint | string)[] => {
    const own = found ?? [];
    const hasAll = own.length === size || (isOpen && own.length % Math.max(1, inner) === 0);
    if (found && found.length > 0 && !hasAll) {
      throw invalid("ParseExample", `feature "${key}": expected ${size} values, got ${found.length}`);
    }
    if (!isOpen && own.length === size) return own;
    if (!isOpen && missing.data.length !== size) throw invalid("ParseExample", `feature "${key}" is required`);
    if (!isOpen) return Array.from(missing.data as ArrayLike<number>);
    const padding = missing.data[0] ?? (dtype === "string" ? "" : 0);
    return [...own, ...new Array<string | number | bigint>(size - own.length).fill(padding)];
  });
  const full = isOpen ? [longest, ...shape.slice(1)] : shape;
  return tensorOf(dtype, values, [examples.length, ...full]);
}

type Typed = "float32" | "int64" | "string";

function typed(type = "DT_FLOAT"): Typed {
  if (type === "DT_STRING") return "string";
  return type === "DT_INT64" ? "int64" : "float32";
}

function typedLike({ dtype }: Tensor): Typed {
  if (dtype === "string") return "string";
  return dtype === "int32" ? "int64" : "float32"; // TensorFlow.js's int32 stands for int64
}

function valuesOf(feature: Feature | undefined, dtype: Typed, key: string): readonly (number | bigint | string)[] {
  if (feature === undefined) return [];
  const lists = { float32: feature.floats, int64: feature.integers, string: feature.texts };
  const isEmpty = [feature.floats, feature.integers, feature.texts].every((list) => list === undefined);
  const values = lists[dtype];
  if (values === undefined && !isEmpty) throw invalid("ParseExample", `feature "${key}": expected ${dtype} values`);
  return values ?? [];
}

/** int64, so that a value that int32 can't hold is refused when it goes to the device. */
function tensorOf(dtype: Typed, values: readonly (number | bigint | string)[], shape = [values.length]): Tensor {
  if (dtype === "string") return { dtype, shape, data: values.map(String) };
  if (dtype === "int64") return { dtype, shape, data: BigInt64Array.from(values, (value) => BigInt(value)) };
  return { dtype, shape, data: Float32Array.from(values, Number) };
}
