import type { Pass, Port } from "../graph/graph.ts";
import { mappedList } from "../graph/mapped.ts";

/**
 * Declares inputs and outputs of half precision as the float32 that TensorFlow.js computes them in, and such of double
 * complex numbers as complex64: those are the nearest dtypes that a tensor can have.
 */
export const widenPorts: Pass = (graph) => {
  const [inputs, outputs] = [mappedList(graph.inputs, widen), mappedList(graph.outputs, widen)];
  return inputs === graph.inputs && outputs === graph.outputs ? graph : { ...graph, inputs, outputs };
};

const widened: ReadonlySet<string> = new Set(["DT_HALF", "DT_BFLOAT16", "DT_COMPLEX128"]);

/** The port with the nearest dtype that a tensor can have. */
export function widen(port: Port): Port {
  if (!widened.has(port.dtype)) return port;
  return { ...port, dtype: port.dtype === "DT_COMPLEX128" ? "DT_COMPLEX64" : "DT_FLOAT" };
}
