import { InferenceError } from "@nearside/core";
import type { GraphNode } from "./graph-def.ts";

/**
 * Throws what went wrong with the node where it did: of the same code, or `internal` for what has none. What is composed
 * of TensorFlow.js's ops finds out only when it runs that the backend lacks a kernel: that is `no-backend`.
 */
export function failAtNode({ name, op }: Pick<GraphNode, "name" | "op">, cause: unknown): never {
  if (cause instanceof InferenceError && cause.code !== "internal") {
    throw new InferenceError(cause.code, `node "${name}": ${cause.message}`, { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (reason.includes("not registered for backend")) {
    throw new InferenceError("no-backend", `node "${name}" (${op}): ${reason}; open another backend`, { cause });
  }
  throw new InferenceError("internal", `node "${name}" (${op}): ${reason}`, { cause });
}
