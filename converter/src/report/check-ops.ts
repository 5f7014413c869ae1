import { InferenceError } from "@nearside/core";
import type { Attr, Graph, Node } from "../graph/graph.ts";
import { type Op, opOf } from "../ops.ts";
import { formatProblems } from "./format-problems.ts";

/** What keeps TensorFlow.js from running some of a graph's nodes. */
export interface OpProblem {
  readonly op: string;
  readonly problem: string;
  /** The names of the nodes; those in a function with the function's name and a colon before them. */
  readonly nodes: readonly string[];
}

/**
 * Throws `unsupported` unless TensorFlow.js can run every node of the graph and computes what TensorFlow does. The
 * message is a table of what it can't: each op, how often it is there, where, why, and what to do about it.
 */
export function checkOps(graph: Graph, where: string): void {
  const problems = findOpProblems(graph);
  if (problems.length === 0) return;
  throw new InferenceError("unsupported", formatProblems(problems, where));
}

/** The ops of a graph that TensorFlow.js can't run, or would compute wrongly. */
export function findOpProblems(graph: Graph): readonly OpProblem[] {
  const ops = listProblems(graph, opProblem);
  // Such an op also keeps variables and edges around it from going away: those are worth telling only without one.
  return ops.length > 0 ? ops : listProblems(graph, stateProblem);
}

/** The nodes that have each problem, by op and problem. */
function listProblems(graph: Graph, problemOf: (graph: Graph, node: Node) => string | undefined): readonly OpProblem[] {
  const problems = new Map<string, OpProblem & { readonly nodes: string[] }>();
  for (const [name, body] of [["", graph] as const, ...graph.functions]) {
    const within = { ...body, functions: graph.functions };
    for (const node of body.nodes.values()) {
      const problem = problemOf(within, node);
      if (problem === undefined) continue;
      const key = JSON.stringify([node.op, problem]);
      const known = problems.get(key) ?? { op: node.op, problem, nodes: [] };
      known.nodes.push(name === "" ? node.name : `${name}: ${node.name}`);
      problems.set(key, known);
    }
  }
  return [...problems.values()];
}

/** What keeps TensorFlow.js from running a node, or undefined. */
function opProblem(graph: Graph, node: Node): string | undefined {
  if (variableOps.has(node.op)) {
    return node.value === undefined && node.op !== "ReadVariableOp"
      ? "the checkpoint has no value for this variable"
      : undefined;
  }
  const op = opOf(node.op);
  if (op === undefined)
    return isStateOp.test(node.op) ? "it changes the model's state" : "TensorFlow.js has no such op";
  if (op.wrong !== undefined) return `TensorFlow.js computes it wrongly: ${op.wrong}`;
  return (
    tableProblem(graph, node, op) ??
    controlProblem(graph, node) ??
    wrongAttr(node, op) ??
    undeclaredInput(graph, node) ??
    missingOutput(graph, node)
  );
}

/** What is left of a variable or of an order that the passes could do nothing about, or undefined. */
function stateProblem(_graph: Graph, node: Node): string | undefined {
  if (variableOps.has(node.op)) return "its variable doesn't stay as it is";
  return node.controls.length > 0 ? "it waits for an op that may change the model's state" : undefined;
}

const variableOps: ReadonlySet<string> = new Set(["VarHandleOp", "VariableV2", "Variable", "ReadVariableOp"]);
const isStateOp = /^(Assign|Resource|Scatter)/;

/** What keeps a lookup table, or what looks something up, from being carried over. */
function tableProblem(graph: Graph, { op, inputs, entries }: Node, { category }: Op): string | undefined {
  if (category !== "hash_table") return undefined;
  if (/^HashTable/.test(op)) return entries === undefined ? "nothing that is constant fills this table" : undefined;
  if (!/^LookupTable(Find|Size)/.test(op)) return "it changes the model's state";
  const table = graph.nodes.get(inputs[0]?.node ?? "")?.op ?? "";
  return /^HashTable/.test(table) ? undefined : "TensorFlow.js finds no table from within a loop or branch";
}

/** What keeps an op of control flow from being carried over as it is. */
function controlProblem(graph: Graph, { op, inputs }: Node): string | undefined {
  const isFunction = [...graph.functions.values()].some(({ nodes }) => nodes === graph.nodes);
  if (/^(Empty)?TensorList/.test(op)) {
    return isFunction ? "TensorFlow.js loses the elements of a list within this loop or branch" : undefined;
  }
  if (op.startsWith("TensorArray"))
    return "this array of TensorFlow 1 is used in a way that lists have no counterpart for";
  const sources = inputs.map(({ node }) => graph.nodes.get(node)?.op ?? "");
  // Constants of a branch don't wait for its Switch once control edges are gone: Merge would take the wrong ones.
  const isOfLoop = op !== "Merge" || (sources[0] === "Enter" && sources[1] === "NextIteration");
  if (!isOfLoop) return "it isn't sure which of its inputs TensorFlow would take, as it is after tf.cond";
  const isConstant = op === "NextIteration" && sources[0] === "Const";
  return isConstant ? "TensorFlow.js can't begin a round with a constant" : undefined;
}

function wrongAttr({ attrs }: Node, { accepts = {} }: Op): string | undefined {
  for (const [name, accepted] of Object.entries(accepts)) {
    const value = attrs[name] === undefined ? undefined : plainValue(attrs[name]);
    if (value === undefined || accepted.includes(value)) continue;
    return `TensorFlow.js runs it with ${name} ${accepted.join(" or ")} only, not ${value}`;
  }
  return undefined;
}

function plainValue(attr: Attr): string | number | boolean | undefined {
  if ("s" in attr) return new TextDecoder().decode(attr.s);
  if ("i" in attr) return Number(attr.i);
  if ("b" in attr) return attr.b;
  return "type" in attr ? attr.type : undefined;
}

function undeclaredInput(graph: Graph, { name, op }: Node): string | undefined {
  const isFed = op !== "Placeholder" || graph.inputs.some(({ tensor }) => tensor.node === name);
  return isFed ? undefined : "an input that the signature doesn't name";
}

function missingOutput(graph: Graph, { inputs }: Node): string | undefined {
  for (const { node, output } of inputs) {
    const source = graph.nodes.get(node)?.op ?? "";
    const op = opOf(source);
    if (op === undefined) continue;
    const { outputs, returns = outputs?.length ?? 1 } = op;
    if (returns !== null && output >= returns) {
      return `it takes output ${output} of ${source}, and TensorFlow.js returns ${returns}`;
    }
  }
  return undefined;
}
