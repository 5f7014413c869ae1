import type { Pass, Port } from "../graph/graph.ts";

/**
 * Declares inputs and outputs of half precision as the float32 that TensorFlow.js computes them in, and such of double
 * complex numbers as complex64: those are the nearest dtypes that a tensor can have.
 */
export const widenPorts: Pass = (graph) => ({
  ...graph,
  inputs: graph.inputs.map(widen),
  outputs: graph.outputs.map(widen),
});

const widened: ReadonlySet<string> = new Set(["DT_HALF", "DT_BFLOAT16", "DT_COMPLEX128"]);

/** The port with the nearest dtype that a tensor can have. */
export function widen(port: Port): Port {
  if (!widened.has(port.dtype)) return port;
  return { ...port, dtype: port.dtype === "DT_COMPLEX128" ? "DT_COMPLEX64" : "DT_FLOAT" };
}
