import type { Backend } from "@nearside/core";
import { isOp, isOwnOp } from "./ops.ts";

/** The backends that a browser has, best first. */
export const browserBackends = ["webgpu", "webgl", "wasm", "cpu"] as const satisfies readonly Backend[];

/** A backend that a browser has. */
export type BrowserBackend = (typeof browserBackends)[number];

/**
 * Who runs an op on a backend: TensorFlow.js and Nearside's runtime, Nearside's runtime alone, or neither. The runtime
 * has no webgl, so there it is what TensorFlow.js runs.
 */
export type Support = "any" | "nearside" | "none";

/** The ops that each backend can't run, by their names; ` (complex)` where it is for such numbers only. */
export type BackendGaps = Readonly<Record<BrowserBackend, readonly string[]>>;

/** What of a node decides where it runs: its op, and the types among its attributes. */
export interface TypedNode {
  readonly op: string;
  readonly attrs: Readonly<Record<string, object>>;
}

/** What `nodes` need that a backend lacks, sorted; an empty list where the backend can run them all. */
export function backendGaps(nodes: readonly TypedNode[]): BackendGaps {
  const gaps = (backend: BrowserBackend) => {
    const labels = nodes.map((node) => gapLabel(node, backend)).filter((label) => label !== undefined);
    return [...new Set(labels)].sort();
  };
  return { webgpu: gaps("webgpu"), webgl: gaps("webgl"), wasm: gaps("wasm"), cpu: gaps("cpu") };
}

function gapLabel(node: TypedNode, backend: BrowserBackend): string | undefined {
  if (supportOf(node.op, backend) === "none") return node.op;
  return withoutComplexNumbers.has(backend) && isComplex(node) ? `${node.op} (complex)` : undefined;
}

/** Who runs an op on a backend; an op that this version doesn't know, no one. */
export function supportOf(op: string, backend: BrowserBackend): Support {
  if (!isOp(op)) return "none";
  const isStock = !isOwnOp(op) && !missingKernels[backend].has(op);
  if (isStock) return "any";
  const isOurs = (isOwnOp(op) || replacedOps.has(op)) && backend !== "webgl";
  return isOurs && !(withoutComplexNumbers.has(backend) && complexOps.has(op)) ? "nearside" : "none";
}

/** Of the ops that TensorFlow.js 4.22 loads, those that need a kernel which a backend lacks. */
const missingKernels: Readonly<Record<BrowserBackend, ReadonlySet<string>>> = {
  webgpu: new Set([
    "BitwiseAnd",
    "SparseFillEmptyRows",
    "SparseReshape",
    "StaticRegexReplace",
    "StringSplit",
    "StringToHashBucketFast",
    "Unique",
    "UniqueV2",
  ]),
  webgl: new Set(),
  wasm: new Set([
    "Complex",
    "ComplexAbs",
    "Einsum",
    "FFT",
    "IFFT",
    "IRFFT",
    "Imag",
    "RFFT",
    "Real",
    "StaticRegexReplace",
  ]),
  cpu: new Set(),
};

/** Of those, the ones that our runtime computes itself. */
const replacedOps: ReadonlySet<string> = new Set([
  "BitwiseAnd",
  "Einsum",
  "SparseFillEmptyRows",
  "SparseReshape",
  "StaticRegexReplace",
  "StringSplit",
  "Unique",
  "UniqueV2",
]);

const withoutComplexNumbers: ReadonlySet<BrowserBackend> = new Set(["wasm"]);

/** Of our own ops, those that have to do with complex numbers whatever the types of their inputs. */
const complexOps: ReadonlySet<string> = new Set([
  "Angle",
  "FFT2D",
  "IFFT2D",
  "NearsideComplexAdd",
  "NearsideComplexDiv",
  "NearsideComplexMul",
  "NearsideComplexSub",
]);

function isComplex({ attrs }: TypedNode): boolean {
  return Object.values(attrs).some((attr) => "type" in attr && String(attr.type).startsWith("DT_COMPLEX"));
}
