import { InferenceError } from "@nearside/core";
import { consumersOf } from "./consumers-of.ts";
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
  const stretches = stretchesOf(uses);
  if (stretches.length === 0) return;
  const reach = reachIn(body);
  for (const { variable, earlier, write, later, isLast } of stretches) {
    const before = reach.before(write, earlier[0]);
    const after = reach.after(write, isLast ? undefined : later.at(-1));
    const other = earlier.find((user) => !before.has(user)) ?? later.find((user) => !after.has(user));
    if (other !== undefined) throw unordered(variable, `"${write}" and "${other}"`);
    if (!isLast) continue;
    const port = body.outputs.find(
      ({ tensor }) => variableOf(tensor) === variable && tensor.node !== write && !after.has(tensor.node),
    );
    const isHandle = port?.dtype === "DT_RESOURCE";
    if (port !== undefined && !isHandle) throw unordered(variable, `"${write}" and the output "${port.key}"`);
  }
}

function unordered(variable: string, uses: string): InferenceError {
  const message = `variable "${variable}": nothing says which comes first, ${uses}, and one of them writes to it`;
  const advice = "order them in the model by tf.control_dependencies, or build it as a tf.function, which orders them";
  return new InferenceError("unsupported", `${message}; ${advice}`);
}

function unsupported(problem: string): InferenceError {
  return new InferenceError("unsupported", `variables: ${problem}; convert a signature that only reads them`);
}

/** A write to a variable and the nodes that use it around that, up to the writes before and after. */
interface Stretch {
  readonly variable: string;
  readonly earlier: readonly string[];
  readonly write: string;
  readonly later: readonly string[];
  /** Whether it is the last write. */
  readonly isLast: boolean;
}

/** What lies beyond the write before or after one is in order with it if those two are, and it with them. */
function stretchesOf(uses: ReadonlyMap<string, Uses>): readonly Stretch[] {
  const users = new Map<string, string[]>();
  for (const [node, used] of uses) {
    for (const variable of used.keys()) {
      const list = users.get(variable);
      if (list === undefined) users.set(variable, [node]);
      else list.push(node);
    }
  }
  return [...users].flatMap(([variable, nodes]) => {
    const places = nodes.flatMap((node, place) => (uses.get(node)?.get(variable) === "write" ? [place] : []));
    return places.map((place, index): Stretch => {
      const [first, next] = [places[index - 1] ?? 0, places[index + 1]];
      const later = nodes.slice(place + 1, next === undefined ? undefined : next + 1);
      const write = nodes[place] ?? "";
      return { variable, earlier: nodes.slice(first, place), write, later, isLast: next === undefined };
    });
  });
}

/** Which nodes come before a node from `first` on, and after it up to `last`. */
interface Reach {
  before(node: string, first: string | undefined): ReadonlySet<string>;
  after(node: string, last: string | undefined): ReadonlySet<string>;
}

/** Follows the edges of a body whose nodes are in order. Throws `unsupported` for a ring, which has no order. */
function reachIn(body: Body): Reach {
  const places = new Map([...body.nodes.keys()].map((name, place) => [name, place]));
  const placeOf = (name: string | undefined, otherwise: number) => places.get(name ?? "") ?? otherwise;
  const sources = new Map([...body.nodes].map(([name, node]) => [name, sourceNames(node)]));
  for (const [name, before] of sources) {
    const isRing = before.some((source) => placeOf(source, -1) >= placeOf(name, 0));
    if (isRing) throw unsupported(`node "${name}" is in a loop that can't be told from others`);
  }
  const consumers = consumersOf(body);
  const sourcesOf = (name: string) => sources.get(name) ?? [];
  const takersOf = (name: string) => (consumers.get(name) ?? []).map((node) => node.name);
  let steps = 0;
  const reach = (start: string, nextOf: (name: string) => readonly string[], from: number, to: number) => {
    const seen = new Set<string>();
    const pending = [start];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const next = nextOf(name).filter((each) => placeOf(each, -1) >= from && placeOf(each, -1) <= to);
      steps += next.length;
      if (steps > maxSteps) throw unsupported("they are written to too often to tell in which order");
      for (const each of next) if (!seen.has(each)) pending.push(each);
      for (const each of next) seen.add(each);
    }
    return seen;
  };
  return {
    before: (node, first) => reach(node, sourcesOf, placeOf(first, 0), placeOf(node, 0)),
    after: (node, last) => reach(node, takersOf, placeOf(node, 0), placeOf(last, places.size)),
  };
}

/** Edges that are followed; a training step of a large model has a few million. */
const maxSteps = 10_000_000;
