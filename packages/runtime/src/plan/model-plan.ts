import type { Manifest } from "@nearside/core";
import type { NamedTensorMap, TensorInfo } from "@tensorflow/tfjs-core";
import { tableFillers } from "../ops/tables.ts";
import type { Computing } from "./bind-op.ts";
import { compilePlan, type PlanContext } from "./compile-plan.ts";
import { type GraphDef, type OutputRef, parseGraphDef, parseRef } from "./graph-def.ts";
import type { Plan } from "./plan.ts";
import { finish, type Running, runPlan } from "./run-plan.ts";
import { isTensor, release, type Table, type Value } from "./value.ts";

// One for each list of outputs that was last asked for: of six outputs there are 1956 lists.
const keptPlans = 16;

/** Ops that give other values each time. */
const randomOps: ReadonlySet<string> = new Set(["RandomStandardNormal", "RandomUniform", "RandomUniformInt"])
  .add("TruncatedNormal")
  .add("Multinomial");

/** A model that is ready to run on a device: its plan, with the weights in place. */
export interface ModelPlan {
  /** Whether the same inputs may give other outputs. */
  readonly isRandom: boolean;
  /** Computes outputs of the graph. Borrows the inputs, by their nodes; the outputs are the caller's to dispose of. */
  run(inputs: ReadonlyMap<string, TensorInfo>, outputs: readonly string[]): Running<readonly TensorInfo[]>;
}

/**
 * Makes the plan of a model whose weights are on the device, and fills its lookup tables. The weights stay the
 * caller's, and must outlive the plan. Throws what {@link compilePlan} throws.
 */
export async function planModel(manifest: Manifest, weights: NamedTensorMap, computing: Computing): Promise<ModelPlan> {
  const { device } = computing;
  const { modelTopology, modelInitializer } = manifest.json;
  const graph = parseGraphDef(modelTopology);
  const byName = new Map(Object.entries(weights));
  const context = { ...computing, weights: byName, functions: graph.functions, tables: new Map(), plans: new Map() };
  const handles = await fillTables(manifest, modelInitializer, context);
  const named = new Set(Object.values(manifest.inputNames).map((name) => parseRef(name).node));
  const inputs = [...named, ...manifest.state.map(({ input }) => input), ...handles.keys()];
  const compile = (outputs: readonly string[]) =>
    compilePlan({ nodes: graph.nodes, inputs, outputs: outputs.map(parseRef) }, context);
  const all = [...Object.values(manifest.outputNames), ...manifest.state.map(({ output }) => output)];
  const plans = new Map<string, Plan>([[JSON.stringify(all), compile(all)]]);
  return {
    isRandom: [graph, ...graph.functions.values()].some(({ nodes }) =>
      [...nodes.values()].some(({ op }) => randomOps.has(op)),
    ),
    *run(given, outputs) {
      const name = JSON.stringify(outputs);
      const plan = plans.get(name) ?? compile(outputs);
      plans.delete(name); // to become the newest
      plans.set(name, plan);
      for (const oldest of plans.keys()) if (plans.size > keptPlans) plans.delete(oldest);
      const values = inputs.map((input) => (given.get(input) ?? handles.get(input)) as Value); // checkInputs saw to it
      const results = yield* runPlan(plan, values, device);
      return results.filter(isTensor); // a signature's outputs are tensors
    },
  };
}

/** Runs the graph that fills a model's tables; returns the tables by the inputs that they are fed through. */
async function fillTables(
  { json }: Manifest,
  initializer: unknown,
  context: PlanContext,
): Promise<ReadonlyMap<string, Table>> {
  if (initializer === undefined || initializer === null) return new Map();
  const graph = parseGraphDef(initializer);
  const declared = resourcesOf((json.initializerSignature as SignatureJson | undefined)?.outputs);
  const named = declared.length > 0 ? declared.map(({ name }) => parseRef(name)) : sinksOf(graph);
  const outputs = [...named, ...fillersBeside(named, graph)];
  const plan = compilePlan({ nodes: graph.nodes, inputs: [], outputs }, context);
  const results = await finish(runPlan(plan, [], context.device));
  const tables = new Map<number, Table>();
  for (const [index, value] of results.entries()) {
    const id = declared[index]?.resourceId;
    if (!isTensor(value) && value.kind === "table" && id !== undefined) tables.set(id, value);
    release(value, context.device);
  }
  const inputs = resourcesOf((json.signature as SignatureJson | undefined)?.inputs);
  return new Map(
    inputs.flatMap(({ name, resourceId }) => {
      const table = tables.get(resourceId);
      return table === undefined ? [] : [[parseRef(name).node, table] as const];
    }),
  );
}

/** Nodes that fill tables and that no output is taken from: the Python converter's outputs only wait for them. */
function fillersBeside(outputs: readonly OutputRef[], { nodes }: GraphDef): readonly OutputRef[] {
  const named = new Set(outputs.map(({ node }) => node));
  const fillers = [...nodes.values()].filter(({ op, name }) => tableFillers.has(op) && !named.has(name));
  return fillers.map(({ name }) => ({ node: name, output: 0 }));
}

interface SignatureJson {
  readonly inputs?: Readonly<Record<string, ResourceJson>>;
  readonly outputs?: Readonly<Record<string, ResourceJson>>;
}

interface ResourceJson {
  readonly name: string;
  readonly resourceId?: number;
}

function resourcesOf(infos: Readonly<Record<string, ResourceJson>> = {}) {
  return Object.values(infos).flatMap(({ name, resourceId }) =>
    resourceId === undefined ? [] : [{ name, resourceId }],
  );
}

/** Outputs that nothing takes: what an initialiser is run for where it doesn't say. */
function sinksOf({ nodes }: GraphDef): readonly OutputRef[] {
  const taken = new Set([...nodes.values()].flatMap(({ inputs }) => inputs.map(({ node }) => node)));
  return [...nodes.keys()].filter((name) => !taken.has(name)).map((node) => ({ node, output: 0 }));
}
