import type { Attrs, Node, Pass } from "../graph/graph.ts";
import { mapNodes } from "../graph/map-nodes.ts";

/** An op to write instead, where `applies`. */
interface Replacement {
  readonly by: string;
  readonly applies?: (attrs: Attrs) => boolean;
}

const isComplex = ({ T }: Attrs) => T !== undefined && "type" in T && T.type === "DT_COMPLEX64";

/** Ops that TensorFlow.js gets wrong, always or with some attributes, and the op of our runtime that is right. */
const replacements: Readonly<Record<string, Replacement>> = {
  // The imaginary parts of what is broadcast become NaN on cpu.
  Add: { by: "NearsideComplexAdd", applies: isComplex },
  AddV2: { by: "NearsideComplexAdd", applies: isComplex },
  Mul: { by: "NearsideComplexMul", applies: isComplex },
  RealDiv: { by: "NearsideComplexDiv", applies: isComplex },
  Sub: { by: "NearsideComplexSub", applies: isComplex },
  // Its integer quotients are rounded down instead of towards 0, and so what is left of a division.
  Div: { by: "TruncateDiv", applies: isInteger },
  Mod: { by: "TruncateMod" },
  // An ellipsis is an error.
  Einsum: { by: "NearsideEinsum", applies: hasEllipsis },
  // It takes num_lower for num_upper.
  MatrixBandPart: { by: "NearsideMatrixBandPart" },
  // On cpu it writes into its input.
  TensorScatterUpdate: { by: "NearsideTensorScatterUpdate" },
};

/** Replaces ops that TensorFlow.js gets wrong by ops that only our runtime has, so that nothing else runs the model. */
export const replaceOps: Pass = (graph) => mapNodes(graph, replace);

function replace(node: Node): Node {
  const found = Object.hasOwn(replacements, node.op) ? replacements[node.op] : undefined;
  return found && (found.applies?.(node.attrs) ?? true) ? { ...node, op: found.by } : node;
}

function isInteger({ T }: Attrs): boolean {
  return T !== undefined && "type" in T && /^DT_U?INT/.test(T.type);
}

function hasEllipsis({ equation }: Attrs): boolean {
  return equation !== undefined && "s" in equation && new TextDecoder().decode(equation.s).includes("...");
}
