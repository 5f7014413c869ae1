import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import { calledFunction } from "../graph/called-function.ts";
import { dataTypeFromNumber } from "../graph/data-type.ts";
import type { Graph, Port } from "../graph/graph.ts";
import { parseTensorName, placeholder } from "./graph-def.ts";
import type { Proto } from "./messages.ts";
import { shapeFromProto } from "./shape.ts";

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
  return wrapperGraph(main, inputs, outputs) ?? withPlaceholders({ ...main, inputs, outputs }, where);
}

/** True for a signature that isn't for users: TensorFlow calls it when it loads a model. */
export function isInternal(name: string): boolean {
  return name.startsWith("__");
}

function listNames(signatures: ReadonlyMap<string, unknown>): string {
  const names = [...signatures.keys()].filter((key) => !isInternal(key)).sort();
  return names.length === 0 ? "none" : names.map((key) => JSON.stringify(key)).join(", ");
}

function portsFromProto(infos: ReadonlyMap<string, Proto<"TensorInfo">>, main: Graph, where: string): Port[] {
  return [...infos.keys()].sort().map((key) => {
    const info = infos.get(key);
    if (info?.name === undefined) {
      const advice = "sign the function with dense tensors and build the other kind inside it";
      throw new InferenceError("unsupported", `${where} "${key}": it is a sparse or composite tensor; ${advice}`);
    }
    const tensor = parseTensorName(info.name);
    if (!main.nodes.has(tensor.node)) {
      throw damaged(`${where} "${key}"`, `a node "${tensor.node}" in the graph`, "none");
    }
    return { key, tensor, dtype: dataTypeFromNumber(info.dtype), shape: shapeFromProto(info.tensorShape) };
  });
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

/** Turns inputs that aren't placeholders into such: TensorFlow 1 lets a signature feed any tensor. */
function withPlaceholders(graph: Graph, where: string): Graph {
  const nodes = new Map(graph.nodes);
  for (const port of graph.inputs) {
    const { node, output } = port.tensor;
    const others = [...graph.nodes.values()].flatMap(({ inputs }) => inputs).filter((input) => input.node === node);
    if (output !== 0 || others.some((input) => input.output !== 0)) {
      const message = `${where}: input "${port.key}" is one of several outputs of node "${node}"; feed a placeholder instead`;
      throw new InferenceError("unsupported", message);
    }
    nodes.set(node, placeholder(port));
  }
  return { ...graph, nodes };
}
