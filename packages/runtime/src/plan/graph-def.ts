import { InferenceError } from "@nearside/core";
import { type KernelAttrs, readAttrs } from "../kernels/kernel-attrs.ts";

/** One output of a node. */
export interface OutputRef {
  readonly node: string;
  readonly output: number;
}

/** A node of a graph model. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly OutputRef[];
  /** Nodes that must have run first, though nothing of theirs is taken. */
  readonly controls: readonly string[];
  readonly attrs: KernelAttrs;
}

/** Nodes by name: a model's graph, or a function of it. */
export interface GraphBody {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly inputs: readonly string[];
  readonly outputs: readonly OutputRef[];
}

/** The graph of a `model.json`, and the functions that its control flow calls. */
export interface GraphDef {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly functions: ReadonlyMap<string, GraphBody>;
}

/** A NodeDef in protocol buffers' JSON form, as far as it is read here. */
interface JsonNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}

interface JsonFunction {
  readonly signature: {
    readonly name: string;
    readonly inputArg?: readonly { readonly name: string }[];
    readonly outputArg?: readonly { readonly name: string }[];
  };
  readonly nodeDef?: readonly JsonNode[];
  readonly ret?: Readonly<Record<string, string>>;
}

/**
 * Reads `modelTopology` of a model.json. Throws `data-loss` where two nodes have a name, or a function lacks a result.
 */
export function parseGraphDef(topology: unknown): GraphDef {
  // The manifest's parser saw to it that it is an object; what is missing in it shows as an empty graph.
  const { node = [], library } = topology as {
    readonly node?: readonly JsonNode[];
    readonly library?: { readonly function?: readonly JsonFunction[] };
  };
  const functions = (library?.function ?? []).map((def) => [def.signature.name, parseFunction(def)] as const);
  return { nodes: parseNodes(node, parseRef), functions: new Map(functions) };
}

/** The output that a name stands for: `node`, `node:1`, or a function's `node:values:0`. */
export function parseRef(name: string): OutputRef {
  const parts = name.split(":");
  return { node: parts[0] as string, output: parts.length === 1 ? 0 : Number(parts.at(-1)) }; // split gives one at least
}

function parseFunction({ signature, nodeDef = [], ret = {} }: JsonFunction): GraphBody {
  const inputs = (signature.inputArg ?? []).map(({ name }) => name);
  const ops = new Map(nodeDef.map(({ name, op }) => [name, op]));
  const parse = (name: string) => parseFunctionRef(name, ops);
  const placeholders = inputs.map((name) => ({ name, op: "Placeholder" }));
  const outputs = (signature.outputArg ?? []).map(({ name }) => {
    const result = ret[name];
    if (result === undefined) throw broken(`function "${signature.name}"`, `a result "${name}"`, "none");
    return parse(result);
  });
  return { nodes: parseNodes([...placeholders, ...nodeDef], parse), inputs, outputs };
}

/**
 * The names of an op's outputs, for those that have several with names of their own: within functions, the Python
 * converter writes outputs by these. An output that is a list is counted within.
 */
const outputNames: Readonly<Record<string, readonly string[]>> = {
  TopKV2: ["values", "indices"],
  Unique: ["y", "idx"],
  UniqueV2: ["y", "idx"],
  ListDiff: ["out", "idx"],
  MaxPoolWithArgmax: ["output", "argmax"],
  FusedBatchNorm: ["y", "batch_mean", "batch_variance"],
  FusedBatchNormV2: ["y", "batch_mean", "batch_variance"],
  FusedBatchNormV3: ["y", "batch_mean", "batch_variance"],
  NonMaxSuppressionV4: ["selected_indices", "valid_outputs"],
  NonMaxSuppressionV5: ["selected_indices", "selected_scores", "valid_outputs"],
  Switch: ["output_false", "output_true"],
  Merge: ["output", "value_index"],
  TensorListPopBack: ["output_handle", "tensor"],
  TensorArrayV3: ["handle", "flow"],
  SparseFillEmptyRows: ["output_indices", "output_values", "empty_row_indicator", "reverse_index_map"],
  SparseReshape: ["output_indices", "output_shape"],
  StringNGrams: ["ngrams", "ngrams_splits"],
  StringSplit: ["indices", "values", "shape"],
  RaggedRange: ["rt_nested_splits", "rt_dense_values"],
};

function parseFunctionRef(name: string, ops: ReadonlyMap<string, string>): OutputRef {
  const [node = "", output = "", index] = name.split(":");
  if (index === undefined) return parseRef(name);
  const place = outputNames[ops.get(node) ?? ""]?.indexOf(output) ?? -1;
  return { node, output: Math.max(0, place) + Number(index) };
}

function parseNodes(nodes: readonly JsonNode[], parse: (name: string) => OutputRef): ReadonlyMap<string, GraphNode> {
  const byName = new Map<string, GraphNode>();
  for (const { name, op, input = [], attr } of nodes) {
    if (byName.has(name)) throw broken("modelTopology", `one node "${name}"`, "two");
    const inputs = input.filter((text) => !text.startsWith("^")).map(parse);
    const controls = input.filter((text) => text.startsWith("^")).map((text) => text.slice(1));
    byName.set(name, { name, op, inputs, controls, attrs: readAttrs(op, attr) });
  }
  return byName;
}

function broken(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("data-loss", `${where}: expected ${expected}, got ${got}; convert the model again`);
}
