import { InferenceError, type Manifest } from "@nearside/core";
import type { Kernels } from "../kernels/kernel.ts";
import { loadKernels } from "../load-kernels.ts";
import { ops } from "../ops/index.ts";
import { controlOps } from "./control-flow.ts";

/** Nodes that a plan has no op for: what it is given, and what it makes loops and branches of. */
const structure: ReadonlySet<string> = new Set(["Const", "Placeholder", "HashTable", "HashTableV2"])
  .add("While")
  .add("StatelessWhile")
  .add("If")
  .add("StatelessIf")
  .add("Enter")
  .add("RefEnter")
  .add("Exit")
  .add("NextIteration")
  .add("LoopCond");

/** A graph of a model.json, as far as it is read here. */
interface JsonGraph {
  readonly node?: readonly JsonNode[];
  readonly library?: { readonly function?: readonly { readonly nodeDef?: readonly JsonNode[] }[] };
}

interface JsonNode {
  readonly op: string;
}

/**
 * The kernels that a model needs beside `ops`: none, or all of them, loaded. Rejects with `unavailable` if they can't be
 * loaded.
 */
export async function kernelsFor({ json }: Manifest): Promise<Kernels> {
  const graphs = [json.modelTopology, json.modelInitializer ?? {}] as readonly JsonGraph[]; // parseManifest checked them
  const nodes = graphs.flatMap(({ node = [], library }) => [
    ...node,
    ...(library?.function ?? []).flatMap(({ nodeDef = [] }) => nodeDef),
  ]);
  const needy = nodes.find(({ op }) => !isBuiltIn(op));
  if (needy === undefined) return {};
  try {
    return await loadKernels();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceError("unavailable", `the kernel of ${needy.op} cannot be loaded: ${reason}; try again`, {
      cause,
    });
  }
}

function isBuiltIn(op: string): boolean {
  return Object.hasOwn(ops, op) || Object.hasOwn(controlOps, op) || structure.has(op);
}
