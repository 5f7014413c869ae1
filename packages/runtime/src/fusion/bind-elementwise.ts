import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { broadcastShape } from "../kernels/broadcast.ts";
import { type Device, readNumbers } from "../plan/device.ts";
import type { Step } from "../plan/plan.ts";
import { isTensor, type Value } from "../plan/value.ts";
import type { ElementwiseNode } from "./elementwise-node.ts";
import { operandName, writeFormulas } from "./elementwise-shader.ts";
import { runElementwise } from "./run-elementwise.ts";

/**
 * Makes such a node ready to run as one shader. Where that can't be (elements of another dtype, or of none), or where
 * TensorFlow.js computes on the CPU what is small and lies there, `runEach` runs the members.
 */
export function bindElementwise(
  node: ElementwiseNode,
  known: readonly (Value | undefined)[],
  device: Device,
  runEach: Step["run"],
): Step["run"] {
  const backend = device.backend as WebGPUBackend; // such nodes are made for no other
  const numbers = known.map((value) => numberIn(value, device));
  const formulas = writeFormulas(node, numbers);
  const ops = node.members.map(({ op }) => op).join(", ");
  return (inputs) => {
    const operands: Record<string, TensorInfo> = {};
    for (const [index, input] of inputs.entries()) {
      if (numbers[index] === undefined) operands[operandName(index)] = input as TensorInfo; // not a list: the graph is typed
    }
    const tensors = Object.values(operands);
    const isComputable = tensors.every(({ dtype, shape }) => dtype === "float32" && util.sizeFromShape(shape) > 0);
    if (!isComputable || backend.shouldExecuteOnCPU(tensors)) return runEach(inputs);
    const shape = broadcastShape(ops, ...tensors.map((tensor) => tensor.shape));
    return runElementwise(backend, formulas, operands, shape);
  };
}

/** The number that a constant is, where it is one that can be written down. */
function numberIn(value: Value | undefined, device: Device): number | undefined {
  if (value === undefined || !isTensor(value) || value.dtype !== "float32") return undefined;
  if (value.shape.length > 0) return undefined; // it may give the result its rank
  const numbers = readNumbers(device, value);
  const number = numbers instanceof Promise ? undefined : numbers[0];
  return Number.isFinite(number) ? number : undefined;
}
