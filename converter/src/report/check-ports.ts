import { dtypeFromTensorFlow, InferenceError } from "@nearside/core";
import type { Graph } from "../graph/graph.ts";

/** Throws `unsupported` where an input or output has a dtype that no tensor of a session has. */
export function checkPorts({ inputs, outputs }: Graph, where: string): void {
  for (const [label, ports] of [["input", inputs] as const, ["output", outputs] as const]) {
    const port = ports.find(({ dtype }) => dtypeFromTensorFlow(dtype) === undefined);
    if (port === undefined) continue;
    const message = `${where}: ${label} "${port.key}" is ${port.dtype}, which no tensor can hold`;
    throw new InferenceError("unsupported", `${message}; cast it to another dtype, such as float32, in the model`);
  }
}
