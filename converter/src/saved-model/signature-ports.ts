import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import { dataTypeFromNumber } from "../graph/data-type.ts";
import type { Graph, Port, Shape } from "../graph/graph.ts";
import { parseTensorName } from "./graph-def.ts";
import type { Proto } from "./messages.ts";
import { shapeFromProto } from "./shape.ts";

type TensorInfo = Proto<"TensorInfo">;

/**
 * The ports of a signature's inputs or outputs, sorted by key. A sparse tensor is three ports: `key/indices`
 * (int64 [count, rank]), `key/values` ([count]) and `key/dense_shape` (int64 [rank]); a ragged one is
 * `key/flat_values`, `key/row_splits`, `key/row_splits_1`, …. Throws `data-loss`, `unsupported`.
 */
export function portsFromProto(infos: ReadonlyMap<string, TensorInfo>, main: Graph, where: string): Port[] {
  const ports = [...infos.keys()].sort().flatMap((key) => {
    const info = infos.get(key);
    return info === undefined ? [] : expand(key, info, where).map((part) => toPort(part, main, where));
  });
  const repeated = ports.find(({ key }, index) => ports.findIndex((port) => port.key === key) !== index);
  if (repeated === undefined) return ports;
  const message = `${where} "${repeated.key}": a part of a sparse or ragged tensor has the name of another; rename one`;
  throw new InferenceError("unsupported", message);
}

/** A tensor of a signature: its key, its name in the graph and what it is. */
interface Part {
  readonly key: string;
  readonly name: string;
  readonly dtype: number;
  readonly shape: Shape;
}

function expand(key: string, info: TensorInfo, where: string): readonly Part[] {
  const { name, dtype, tensorShape, cooSparse, compositeTensor } = info;
  // Without a shape nothing is known of it: TensorFlow's own tools always write one, even a scalar's.
  if (name !== undefined) return [{ key, name, dtype, shape: tensorShape ? shapeFromProto(tensorShape) : null }];
  if (cooSparse !== undefined) {
    const rank = shapeFromProto(tensorShape)?.length ?? null;
    return [
      { key: `${key}/indices`, name: cooSparse.indices, dtype: int64, shape: [null, rank] },
      { key: `${key}/values`, name: cooSparse.values, dtype, shape: [null] },
      { key: `${key}/dense_shape`, name: cooSparse.denseShape, dtype: int64, shape: [rank] },
    ];
  }
  const names = partNames[compositeTensor?.typeSpec?.typeSpecClass ?? 0];
  const components = compositeTensor?.components ?? [];
  if (names === undefined || components.length === 0) {
    const advice = "sign the function with dense, sparse or ragged tensors and build the other kind inside it";
    throw new InferenceError("unsupported", `${where} "${key}": it is a composite tensor; ${advice}`);
  }
  return components.flatMap((component, index) => expand(`${key}/${names(index)}`, component, where));
}

/** The tensors of the graph that an input or output is, or that it is made of. */
export function tensorNames({ name, cooSparse, compositeTensor }: TensorInfo): readonly string[] {
  if (name !== undefined) return [name];
  if (cooSparse !== undefined) return [cooSparse.indices, cooSparse.values, cooSparse.denseShape];
  return (compositeTensor?.components ?? []).flatMap(tensorNames);
}

/** What the components of a composite tensor are called, by the number of its TypeSpecClass. */
const partNames: Readonly<Record<number, (index: number) => string>> = {
  1: (index) => ["indices", "values", "dense_shape"][index] ?? `component_${index}`, // SPARSE_TENSOR_SPEC
  3: (index) => (index === 0 ? "flat_values" : index === 1 ? "row_splits" : `row_splits_${index - 1}`), // RAGGED_…
};

const int64 = 9;

function toPort({ key, name, dtype, shape }: Part, main: Graph, where: string): Port {
  const tensor = parseTensorName(name);
  if (!main.nodes.has(tensor.node)) {
    throw damaged(`${where} "${key}"`, `a node "${tensor.node}" in the graph`, "none");
  }
  return { key, tensor, dtype: dataTypeFromNumber(dtype), shape };
}
