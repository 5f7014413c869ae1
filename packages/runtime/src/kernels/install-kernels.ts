import { type DType, isDType, type Tensor } from "@nearside/core";
import { registerOp } from "@tensorflow/tfjs-converter";
import { type Tensor as TfjsTensor, tidy } from "@tensorflow/tfjs-core";
import { fromTfjs, toTfjs } from "../tfjs-tensor.ts";
import { kernels } from "./index.ts";
import type { ComposedKernel, Kernel, PlainKernel, Values } from "./kernel.ts";
import { readAttrs } from "./kernel-attrs.ts";

/** What TensorFlow.js hands to a custom op. */
type GraphNode = Parameters<Parameters<typeof registerOp>[1]>[0];

/**
 * Makes {@link kernels} known to TensorFlow.js in this thread: whoever loads a graph model here afterwards gets them,
 * because it keeps one list of ops for all models. Doing it again changes nothing.
 */
export function installKernels(): void {
  for (const [op, kernel] of Object.entries(kernels)) registerOp(op, (node) => runKernel(op, kernel, node));
}

/** True if the op `name` is computed here, and asynchronously: its values are read from the device. */
export function isAsynchronousKernel(name: string): boolean {
  const kernel = Object.hasOwn(kernels, name) ? kernels[name] : undefined;
  return kernel !== undefined && ("compute" in kernel || (kernel.reads ?? []).length > 0);
}

function runKernel(op: string, kernel: Kernel, node: GraphNode): TfjsTensor | TfjsTensor[] | Promise<TfjsTensor[]> {
  if ("compute" in kernel) return computePlain(op, kernel, node);
  if (kernel.reads) return composeFromValues(kernel, kernel.reads, node);
  return compose(kernel, node, {});
}

function compose(kernel: ComposedKernel, node: GraphNode, values: Values): TfjsTensor[] {
  return tidy(() => {
    const outputs = kernel.compose(node.inputs, attrsOf(node), values);
    return [outputs].flat().map((output) => (node.inputs.includes(output) ? output.clone() : output));
  });
}

async function composeFromValues(kernel: ComposedKernel, reads: readonly number[], node: GraphNode) {
  const known = reads.filter((index) => index < node.inputs.length);
  const values = await Promise.all(
    known.map(async (index) => [index, Array.from(await (node.inputs[index] as TfjsTensor).data<"int32">())] as const),
  );
  return compose(kernel, node, Object.fromEntries(values));
}

async function computePlain(op: string, kernel: PlainKernel, node: GraphNode): Promise<TfjsTensor[]> {
  const inputs: Tensor[] = await Promise.all(node.inputs.map((input) => fromTfjs(input, plainDType(input))));
  return [kernel.compute(inputs, attrsOf(node))].flat().map((output, index) => toTfjs(output, `${op}:${index}`));
}

/** TensorFlow.js's dtypes are dtypes of ours, of the same name. */
function plainDType({ dtype }: TfjsTensor): DType {
  if (!isDType(dtype)) throw new Error(`no plain tensor can hold ${dtype}`);
  return dtype;
}

/**
 * The attributes as the file has them. `node.attrs` has them in lower case, which breaks patterns and separators, and
 * without the types that TensorFlow.js lacks; what it is made from is a private field.
 */
function attrsOf(node: GraphNode) {
  return readAttrs((node as unknown as { node: { rawAttrs?: Record<string, unknown> } }).node.rawAttrs);
}
