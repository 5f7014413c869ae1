import type { Backend } from "@nearside/core";
import { isOp, isOwnOp } from "./ops.ts";

/** The backends that a browser has, best first. */
export const browserBackends = ["webgpu", "webgl", "wasm", "cpu"] as const satisfies readonly Backend[];

/** A backend that a browser has. */
export type BrowserBackend = (typeof browserBackends)[number];

/** Who runs an op on a backend: TensorFlow.js and Nearside's runtime, Nearside's runtime alone, or neither. */
export type Support = "any" | "nearside" | "none";

/** The ops that each backend can't run, by their names. */
export type BackendGaps = Readonly<Record<BrowserBackend, readonly string[]>>;

/** What `nodes` need that a backend lacks, sorted; an empty list where the backend can run them all. */
export function backendGaps(nodes: readonly { readonly op: string }[]): BackendGaps {
  const ops = [...new Set(nodes.map(({ op }) => op))].sort();
  const gaps = (backend: BrowserBackend) => ops.filter((op) => supportOf(op, backend) === "none");
  return { webgpu: gaps("webgpu"), webgl: gaps("webgl"), wasm: gaps("wasm"), cpu: gaps("cpu") };
}

/** Who runs an op on a backend; an op that this version doesn't know, no one. */
export function supportOf(op: string, backend: BrowserBackend): Support {
  if (!isOp(op)) return "none";
  const isStock = !isOwnOp(op) && !missingKernels[backend].has(op);
  if (isStock) return "any";
  return isOwnOp(op) || replacedOps.has(op) ? "nearside" : "none";
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
  "Complex",
  "ComplexAbs",
  "Einsum",
  "FFT",
  "IFFT",
  "IRFFT",
  "Imag",
  "RFFT",
  "Real",
  "SparseFillEmptyRows",
  "SparseReshape",
  "StaticRegexReplace",
  "StringSplit",
  "Unique",
  "UniqueV2",
]);
