import { InferenceError, type Tensor } from "@nearside/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Kernels, Values } from "../kernels/kernel.ts";
import { ops } from "../ops/index.ts";
import { compose } from "./composed.ts";
import { controlOps } from "./control-flow.ts";
import { type Device, readNumbers } from "./device.ts";
import { failAtNode } from "./fail-at-node.ts";
import type { GraphNode } from "./graph-def.ts";
import type { Op } from "./op.ts";
import { readPlain, writePlain } from "./plain.ts";
import type { Step } from "./plan.ts";
import { isTensor, type Value } from "./value.ts";

/** What nodes are computed with. */
export interface Computing {
  readonly device: Device;
  /** Those that the model needs beside `ops` (see `kernelsFor`). */
  readonly kernels: Kernels;
}

type RunStep = Step["run"];

/**
 * Makes a node ready to run: its kernels and attributes are looked up, and what it must know of inputs that are
 * constants (`known`) is read. Throws `unsupported` for an op that nothing here runs, `no-backend` for a missing kernel.
 */
export function bindOp(
  { name, op, attrs, inputs: refs }: GraphNode,
  known: readonly (Value | undefined)[],
  { device, kernels }: Computing,
): RunStep {
  const definition = [ops, controlOps, kernels].find((table) => Object.hasOwn(table, op))?.[op];
  if (definition === undefined) {
    const message = `node "${name}": no backend here runs the op ${op}; convert the model again`;
    throw new InferenceError("unsupported", message);
  }
  const reads = "compute" in definition ? [] : (definition.reads ?? []);
  const read = bindReads(reads, refs.length, known, device);
  const run = bindKind({ name, op, attrs }, definition, device);
  if (!(read instanceof Function)) return (inputs) => run(inputs, read);
  return (inputs) => {
    const values = read(inputs);
    return values instanceof Promise ? values.then((all) => run(inputs, all)) : run(inputs, values);
  };
}

type Outputs = Value | readonly Value[];
type RunOp = (inputs: readonly Value[], values: Values) => Outputs | Promise<Outputs>;

/** How the kinds of ops are run. What is no op on lists is given tensors only: the graph is typed. */
function bindKind(node: Pick<GraphNode, "name" | "op" | "attrs">, definition: Op, device: Device): RunOp {
  const { op, attrs } = node;
  if ("bind" in definition) {
    try {
      return definition.bind(attrs, device) as RunOp;
    } catch (cause) {
      return failAtNode(node, cause);
    }
  }
  if ("compose" in definition) {
    return (inputs, values) =>
      compose(device, inputs as readonly TensorInfo[], (tensors) => definition.compose(tensors, attrs, values));
  }
  if ("compute" in definition) {
    return async (inputs) => {
      const tensors = await Promise.all((inputs as readonly TensorInfo[]).map((input) => readPlain(device, input)));
      const outputs: readonly Tensor[] = [definition.compute(tensors, attrs)].flat();
      return outputs.map((output, index) => writePlain(device, output, `${op}:${index}`));
    };
  }
  return (inputs, values) => definition.run(inputs, attrs, values, device);
}

/** The values that an op must know: once and for all where they are constants, else at each run. */
function bindReads(
  reads: readonly number[],
  count: number,
  known: readonly (Value | undefined)[],
  device: Device,
): Values | ((inputs: readonly Value[]) => Values | Promise<Values>) {
  const places = reads.map((place) => [place, place < 0 ? count + place : place] as const);
  const there = places.filter(([, at]) => at < count);
  const fixed: Record<number, readonly number[]> = {};
  const open: (readonly [number, number])[] = [];
  for (const [place, at] of there) {
    const value = known[at];
    const numbers = value !== undefined && isTensor(value) ? readNumbers(device, value) : undefined;
    if (numbers === undefined || numbers instanceof Promise) open.push([place, at]);
    else fixed[place] = Array.from(numbers);
  }
  if (open.length === 0) return fixed;
  return (inputs) => {
    const values = { ...fixed };
    const waiting: Promise<void>[] = [];
    for (const [place, at] of open) {
      const numbers = readNumbers(device, inputs[at] as TensorInfo); // ops read no lists
      if (numbers instanceof Promise) {
        waiting.push(numbers.then((later) => void Object.assign(values, { [place]: Array.from(later) })));
      } else values[place] = Array.from(numbers);
    }
    return waiting.length === 0 ? values : Promise.all(waiting).then(() => values);
  };
}
