import { InferenceError } from "@nearside/core";
import { calledFunction } from "../graph/called-function.ts";
import { freeName } from "../graph/free-name.ts";
import type { Graph, Node, Port, TensorRef } from "../graph/graph.ts";
import { placeholder } from "./graph-def.ts";
import type { Proto } from "./messages.ts";
import { portsFromProto } from "./signature-ports.ts";

/**
 * The graph of one signature: `main` with the signature's inputs and outputs as ports, everything else still there.
 * TensorFlow 2 puts a signature behind a call to a wrapper function; then the graph is the wrapper's body, whose names
 * users know (`x`, `Identity`), with what the call hands it as the nodes that were its arguments.
 * TensorFlow 1 names are kept. Throws `not-found` listing the signatures there are, `data-loss`, `unsupported`.
 */
export function signatureGraph(
  main: Graph,
  signatures: ReadonlyMap<string, Proto<"SignatureDef">>,
  name: string,
): Graph {
  const signature = signatures.get(name);
  if (signature === undefined) {
    const message = `signature ${JSON.stringify(name)}: not in the model; it has ${listNames(signatures)}`;
    throw new InferenceError("not-found", message);
  }
  if (isInternal(name)) {
    const message = `signature "${name}": TensorFlow runs it itself when it loads the model, to fill tables and variables`;
    throw new InferenceError(
      "unsupported",
      `${message}; the others hold what it fills: convert one of ${listNames(signatures)}`,
    );
  }
  const where = `signature "${name}"`;
  const inputs = portsFromProto(signature.inputs, main, `${where}: input`);
  const outputs = portsFromProto(signature.outputs, main, `${where}: output`);
  if (outputs.length === 0) {
    throw new InferenceError("unsupported", `${where}: it has no outputs to compute; choose another signature`);
  }
  return wrapperGraph(main, inputs, outputs) ?? withPlaceholders({ ...main, inputs, outputs });
}

/** True for a signature that isn't for users: TensorFlow calls it when it loads a model. */
export function isInternal(name: string): boolean {
  return name.startsWith("__");
}

function listNames(signatures: ReadonlyMap<string, unknown>): string {
  const names = [...signatures.keys()].filter((key) => !isInternal(key)).sort();
  return names.length === 0 ? "none" : names.map((key) => JSON.stringify(key)).join(", ");
}

/** The wrapper's body as a graph, or undefined where the signature isn't a call to a signature wrapper. */
function wrapperGraph(main: Graph, inputs: readonly Port[], outputs: readonly Port[]): Graph | undefined {
  const callName = outputs[0]?.tensor.node ?? "";
  const call = main.nodes.get(callName);
  const wrapper = call === undefined ? undefined : calledFunction(main, call);
  if (call === undefined || wrapper === undefined || !wrapper.name.includes("signature_wrapper")) return undefined;
  if (outputs.some(({ tensor }) => tensor.node !== callName)) return undefined;
  const { body } = wrapper;
  const nodes = new Map(body.nodes);
  const wrapperInputs: Port[] = [];
  for (const [index, argument] of body.inputs.entries()) {
    const given = call.inputs[index];
    const source = given === undefined ? undefined : main.nodes.get(given.node);
    if (given === undefined || source === undefined || source.inputs.length > 0) return undefined;
    const port = inputs.find(({ tensor }) => tensor.node === given.node);
    const name = argument.tensor.node;
    if (port === undefined) {
      nodes.set(name, { ...source, name, controls: [] });
    } else {
      const named = { ...port, tensor: argument.tensor };
      nodes.set(name, placeholder(named));
      wrapperInputs.push(named);
    }
  }
  const isComplete = inputs.every(({ key }) => wrapperInputs.some((port) => port.key === key));
  if (!isComplete) return undefined;
  const wrapperOutputs: Port[] = [];
  for (const port of outputs) {
    const result = body.outputs[port.tensor.output];
    if (result === undefined) return undefined;
    wrapperOutputs.push({ ...port, tensor: result.tensor });
  }
  return { ...main, nodes, inputs: wrapperInputs, outputs: wrapperOutputs, controls: body.controls };
}

/**
 * Turns inputs that aren't placeholders into such: TensorFlow 1 lets a signature feed any tensor. One of several
 * outputs of a node gets a placeholder of its own, and the other outputs stay the node's.
 */
function withPlaceholders(graph: Graph): Graph {
  const fed = new Map<string, Port>();
  const used = new Map<string, number>(); // how many of a node's outputs something takes
  const refs = [...graph.nodes.values()].flatMap(({ inputs }) => inputs);
  for (const { node, output } of refs) used.set(node, Math.max(used.get(node) ?? 0, output + 1));
  for (const port of graph.inputs) {
    const { node, output } = port.tensor;
    if (fed.has(`${node}:${output}`)) continue; // two keys for one tensor: as in TensorFlow, what is given last counts
    const isOnlyOne = output === 0 && (used.get(node) ?? 0) <= 1;
    const isTaken = (name: string) =>
      graph.nodes.has(name) || [...fed.values()].some(({ tensor }) => tensor.node === name);
    const name = isOnlyOne ? node : freeName(`${node}/${output}`, isTaken);
    fed.set(`${node}:${output}`, { ...port, tensor: { node: name, output: 0 } });
  }
  const moved = (ref: TensorRef) => fed.get(`${ref.node}:${ref.output}`)?.tensor ?? ref;
  const nodes = new Map<string, Node>();
  for (const node of graph.nodes.values()) nodes.set(node.name, { ...node, inputs: node.inputs.map(moved) });
  for (const port of fed.values()) nodes.set(port.tensor.node, placeholder(port));
  const movedPort = (port: Port) => ({ ...port, tensor: moved(port.tensor) });
  return { ...graph, nodes, inputs: graph.inputs.map(movedPort), outputs: graph.outputs.map(movedPort) };
}
