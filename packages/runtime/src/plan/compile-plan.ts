import { InferenceError } from "@nearside/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { BindNode } from "../fusion/bind-sum.ts";
import { bodyOf, type ElementwiseNode } from "../fusion/elementwise-node.ts";
import type { SumNode } from "../fusion/group-sums.ts";
import { bindOp, type Computing } from "./bind-op.ts";
import { identities, runBranch, runLoop } from "./control-flow.ts";
import type { Fusion } from "./device.ts";
import type { GraphBody, GraphNode, OutputRef } from "./graph-def.ts";
import { orderNodes } from "./order-nodes.ts";
import type { Plan, Step } from "./plan.ts";
import { type LoopNode, raiseLoops } from "./raise-loops.ts";
import { runPlan } from "./run-plan.ts";
import { retain, type Table, type Value } from "./value.ts";

/** What the plans of a model have in common. */
export interface PlanContext extends Computing {
  readonly weights: ReadonlyMap<string, TensorInfo>;
  readonly functions: ReadonlyMap<string, GraphBody>;
  /** Lookup tables by the name of their node, made as they are met. */
  readonly tables: Map<string, Table>;
  /** Plans of the functions, made as they are met; undefined while one is being made. */
  readonly plans: Map<string, Plan | undefined>;
}

/**
 * Makes a plan of a graph, or of a function: nodes in order, kernels looked up, constants in place, and the step known
 * after which each value goes. Throws `no-backend` for a kernel that the device lacks, `unsupported` for an op that
 * nothing here runs, `data-loss` for a graph that is broken.
 */
export function compilePlan(body: GraphBody, context: PlanContext): Plan {
  const nodes = raiseLoops(body.nodes);
  const hasBranches = [...nodes.values()].some(({ op }) => branchOps.has(op));
  const wanted = body.outputs.map(({ node }) => node);
  const slots: (Value | undefined)[] = [];
  const places = new Map<string, number[]>(); // of a node's outputs, which may be fewer than it has
  const find = ({ node, output }: OutputRef): number => {
    const own = places.get(node) ?? [];
    places.set(node, own);
    own[output] ??= slots.push(undefined) - 1;
    return own[output];
  };
  const inputs = body.inputs.map((node) => find({ node, output: 0 }));
  const drafts: Draft[] = [];
  const ordered = orderNodes(nodes, wanted, new Set(body.inputs), hasBranches);
  const { fusion } = context.device;
  for (const node of fusion && !hasBranches ? fusion.group(ordered, body.outputs) : ordered) {
    const constant = constantOf(node, context, hasBranches);
    if (constant !== undefined) slots[find({ node: node.name, output: 0 })] = constant;
    else if (identities.has(node.op) && !hasBranches) places.set(node.name, sourcesOf(node).map(find));
    else {
      const taken = node.inputs.map(find);
      const controls = hasBranches ? node.controls.map((control) => find({ node: control, output: 0 })) : [];
      const known = taken.map((slot) => slots[slot]);
      drafts.push({ node, inputs: taken, controls, run: bindNode(node, known, context) });
    }
  }
  const outputs = body.outputs.map(find);
  return { slots, inputs, outputs, hasBranches, steps: withLifetimes(drafts, places, slots, outputs) };
}

/** Ops some of whose outputs may not be computed. */
const branchOps = new Set(["Switch", "_SwitchN", "Merge"]);

type RunStep = Step["run"];
type Draft = Pick<Step, "inputs" | "controls" | "run"> & { readonly node: GraphNode };

function sourcesOf({ op, inputs }: GraphNode): readonly OutputRef[] {
  return op === "IdentityN" ? inputs : inputs.slice(0, 1);
}

/** What a node is that computes nothing. In a branch, a constant is alive only where its branch is taken. */
function constantOf({ name, op, controls }: GraphNode, context: PlanContext, hasBranches: boolean): Value | undefined {
  if (op === "HashTable" || op === "HashTableV2") {
    const table: Table = context.tables.get(name) ?? { kind: "table", entries: new Map() };
    context.tables.set(name, table);
    return table;
  }
  if (op !== "Const" || (hasBranches && controls.length > 0)) return undefined;
  return weightOf(name, context);
}

function weightOf(name: string, { weights }: PlanContext): TensorInfo {
  const weight = weights.get(name);
  if (weight !== undefined) return weight;
  throw new InferenceError(
    "data-loss",
    `node "${name}": expected a weight of this name, got none; convert the model again`,
  );
}

function bindNode(node: GraphNode, known: readonly (Value | undefined)[], context: PlanContext): RunStep {
  const { device } = context;
  const { op, name, attrs } = node;
  if (op === "Loop") {
    const { cond, body } = node as LoopNode; // what raiseLoops makes under this name
    const plans = { cond: compilePlan(cond, context), body: compilePlan(body, context) };
    return (inputs) => runLoop(plans, inputs, device);
  }
  if (op === "Elementwise") {
    const { fusion, ...unfused } = device;
    const group = node as ElementwiseNode; // what fusion makes under this name
    const each = compilePlan(bodyOf(group), { ...context, device: unfused });
    return (fusion as Fusion).bindElementwise(group, known, device, (inputs) => runPlan(each, inputs, device));
  }
  if (op === "ProductSum") {
    const bindMember: BindNode = (member, knownToIt) => bindNode(member, knownToIt, context);
    return (device.fusion as Fusion).bindSum(node as SumNode, known, device, bindMember); // as above
  }
  if (op === "While" || op === "StatelessWhile") {
    const plans = { cond: planOf(attrs.func("cond"), context), body: planOf(attrs.func("body"), context) };
    return (inputs) => runLoop(plans, inputs, device);
  }
  if (op === "If" || op === "StatelessIf") {
    const branches = ["then_branch", "else_branch"].map((branch) => planOf(attrs.func(branch), context));
    return (inputs) => runBranch(branches as [Plan, Plan], inputs, device);
  }
  if (op === "Const") {
    const weight = weightOf(name, context);
    return () => retain(weight, device);
  }
  return bindOp(node, known, context);
}

function planOf(name: string, context: PlanContext): Plan {
  const made = context.plans.get(name);
  if (made !== undefined) return made;
  const body = context.functions.get(name);
  if (body === undefined || context.plans.has(name)) {
    const problem = body === undefined ? "there is none of this name" : "it calls itself";
    throw new InferenceError("data-loss", `function "${name}": ${problem}; convert the model again`);
  }
  context.plans.set(name, undefined);
  const plan = compilePlan(body, context);
  context.plans.set(name, plan);
  return plan;
}

/** Gives each step the slots of its outputs, and those that nothing takes after it. */
function withLifetimes(
  drafts: readonly Draft[],
  places: ReadonlyMap<string, readonly number[]>,
  slots: readonly (Value | undefined)[],
  results: readonly number[],
): readonly Step[] {
  const lastUse = new Map<number, number>();
  for (const [index, { inputs, controls }] of drafts.entries()) {
    for (const slot of [...inputs, ...controls]) lastUse.set(slot, index);
  }
  const kept = new Set(results);
  for (const [slot, value] of slots.entries()) if (value !== undefined) kept.add(slot);
  return drafts.map(({ node, inputs, controls, run }, index) => {
    const outputs = Array.from(places.get(node.name) ?? [], (slot) => slot ?? -1); // the list may have holes
    const unused = outputs.filter((slot) => slot >= 0 && !lastUse.has(slot));
    const done = [...inputs, ...controls].filter((slot) => lastUse.get(slot) === index);
    const frees = [...new Set([...done, ...unused])].filter((slot) => !kept.has(slot));
    return { name: node.name, op: node.op, inputs, controls, outputs, frees, run };
  });
}
