import { InferenceError } from "@nearside/core";
import type { Body, TensorRef } from "./graph.ts";
import type { Uses } from "./handles.ts";
import { sourceNames } from "./source-names.ts";

/**
 * Throws `unsupported`, naming the variable, unless data and control edges tell of each write to a variable whether it
 * comes before or after each other use of that variable. An output that is a reference variable counts as a use.
 */
export function checkOrder(
  body: Body,
  uses: ReadonlyMap<string, Uses>,
  variableOf: (ref: TensorRef) => string | undefined,
): void {
  const users = new Map<string, string[]>();
  const writers = new Map<string, string[]>();
  for (const [node, used] of uses) {
    for (const [variable, use] of used) {
      listed(users, variable).push(node);
      if (use === "write") listed(writers, variable).push(node);
    }
  }
  if (writers.size === 0) return;
  const [after, before] = neighbours(body);
  for (const [variable, nodes] of writers) {
    for (const writer of nodes) {
      const [later, earlier] = [reachable(writer, after), reachable(writer, before)];
      const other = users
        .get(variable)
        ?.find((user) => (user === writer ? later.has(user) : later.has(user) === earlier.has(user)));
      if (other !== undefined) throw unordered(variable, `"${writer}" and "${other}"`);
      const port = body.outputs.find(
        ({ tensor }) => variableOf(tensor) === variable && tensor.node !== writer && !later.has(tensor.node),
      );
      const isHandle = port?.dtype === "DT_RESOURCE";
      if (port !== undefined && !isHandle) throw unordered(variable, `"${writer}" and the output "${port.key}"`);
    }
  }
}

function unordered(variable: string, uses: string): InferenceError {
  const message = `variable "${variable}": nothing says which comes first, ${uses}, and one of them writes to it`;
  const advice = "order them in the model by tf.control_dependencies, or build it as a tf.function, which orders them";
  return new InferenceError("unsupported", `${message}; ${advice}`);
}

type Edges = ReadonlyMap<string, readonly string[]>;

/** What takes something of each node or waits for it, and what each takes or waits for. */
function neighbours({ nodes }: Body): readonly [after: Edges, before: Edges] {
  const after = new Map<string, string[]>();
  const before = new Map<string, readonly string[]>();
  for (const node of nodes.values()) {
    const sources = sourceNames(node);
    before.set(node.name, sources);
    for (const source of sources) listed(after, source).push(node.name);
  }
  return [after, before];
}

function reachable(start: string, edges: Edges): ReadonlySet<string> {
  const seen = new Set(edges.get(start));
  // The set grows while it is walked.
  for (const name of seen) for (const next of edges.get(name) ?? []) seen.add(next);
  return seen;
}

function listed(lists: Map<string, string[]>, key: string): string[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
