import { compute, smallNumbers } from "../graph/compute.ts";
import { constant } from "../graph/constant.ts";
import type { Node, Shape, TensorRef } from "../graph/graph.ts";
import { firstOutput, rule, type Surroundings } from "../graph/rule.ts";

/**
 * Leaves out what changes nothing:
 *
 *     x·1 = x / 1 = x + 0 = x − 0 = x        −(−x) = x
 *     transpose(transpose(x)) = x where the second undoes the first, or one changes nothing
 *     reshape(reshape(x, s), t) = reshape(x, t)        reshape(x, shape of x) = x
 *     reshape(mean(x), shape with ones) = mean(x), its axes kept        (−x)·c = x·(−c)
 *
 * A node that goes becomes an Identity of what it leaves.
 */
export const simplify = rule((root, around) => {
  if (root.op === "Reshape") return keepAxes(root, around) ?? shortenReshape(root, around);
  if (root.op === "Mul") return negateFactor(root, around) ?? leaveOut(root, around);
  return leaveOut(root, around);
});

function leaveOut(root: Node, around: Surroundings): readonly Node[] | undefined {
  const same = unchanged[root.op]?.(root, around);
  return same && [identity(root, same)];
}

const neutral =
  (number: number, sides: readonly number[]) =>
  ({ inputs }: Node, { constantOf, shapeOf }: Surroundings): TensorRef | undefined => {
    for (const side of sides) {
      const [x, other] = [inputs[1 - side], constantOf(inputs[side])];
      const isNeutral = other && smallNumbers(other)?.every((each) => each === number);
      if (x !== undefined && isNeutral && isWithin(other.shape, shapeOf(x))) return x;
    }
    return undefined;
  };

const unchanged: Readonly<Record<string, (root: Node, around: Surroundings) => TensorRef | undefined>> = {
  Add: neutral(0, [0, 1]),
  AddV2: neutral(0, [0, 1]),
  Mul: neutral(1, [0, 1]),
  Neg: ({ inputs }, { nodeOf }) => {
    const inner = nodeOf(inputs[0]);
    return inner?.op === "Neg" ? inner.inputs[0] : undefined;
  },
  RealDiv: neutral(1, [1]),
  Sub: neutral(0, [1]),
  Transpose: ({ inputs }, { nodeOf, valuesOf }) => {
    const second = valuesOf(inputs[1]);
    if (second?.every((axis, place) => axis === place)) return inputs[0];
    const inner = nodeOf(inputs[0]);
    if (inner?.op !== "Transpose") return undefined;
    const first = valuesOf(inner.inputs[1]);
    const isUndone = first !== undefined && second?.length === first.length && second.every(isPlaceOf(first));
    return isUndone ? inner.inputs[0] : undefined;
  },
};

/** Whether the axis at a place of the second transpose is the one that was there before the first. */
function isPlaceOf(first: readonly (number | null)[]) {
  return (axis: number | null, place: number) => axis !== null && first[axis] === place;
}

function shortenReshape(root: Node, { nodeOf, shapeOf }: Surroundings): readonly Node[] | undefined {
  const [x, target] = root.inputs;
  const inner = nodeOf(x);
  const [source] = inner?.op === "Reshape" ? inner.inputs : [];
  const after = shapeOf({ node: root.name, output: 0 });
  const same = [x, source].find((from) => from !== undefined && isSame(shapeOf(from), after));
  if (same !== undefined) return [identity(root, same)];
  return source && target && [{ ...root, inputs: [source, target] }];
}

/** A reduction whose axes come back as ones keeps them. */
function keepAxes(root: Node, { only, shapeOf, valuesOf }: Surroundings): readonly Node[] | undefined {
  const reduced = only(root.inputs[0], reductions);
  const [shape, axes] = [shapeOf(reduced?.inputs[0]), valuesOf(reduced?.inputs[1])];
  if (reduced === undefined || shape === null || axes === undefined || axes.includes(null)) return undefined;
  const places = axes.map((axis) => ((axis ?? 0) + shape.length) % shape.length);
  const kept = shape.map((size, axis) => (places.includes(axis) ? 1 : size));
  if (!isSame(kept, shapeOf({ node: root.name, output: 0 }))) return undefined;
  return [{ ...reduced, name: root.name, attrs: { ...reduced.attrs, keep_dims: { b: true } } }];
}

const reductions: ReadonlySet<string> = new Set("All Any Max Mean Min Prod Sum".split(" "));

/** (−x)·c = x·(−c) */
function negateFactor(root: Node, around: Surroundings): readonly Node[] | undefined {
  const at = root.inputs.findIndex((input) => around.constantOf(input) !== undefined);
  const [x] = around.only(root.inputs[1 - at], negation)?.inputs ?? [];
  const value = around.constantOf(root.inputs[at]);
  const negated = x && value && smallNumbers(value) && compute("Neg", value); // a large one could be there twice
  if (x === undefined || negated === undefined) return undefined;
  const factor = constant(around.freeName(`${root.name}/negated`), negated);
  return [factor, { ...root, inputs: [x, firstOutput(factor)] }];
}

const negation: ReadonlySet<string> = new Set(["Neg"]);

/** Equal shapes; of sizes that aren't known there may be one, which then follows from the others. */
function isSame(a: Shape, b: Shape): boolean {
  const unknown = a?.filter((size) => size === null).length ?? 2;
  return unknown <= 1 && a?.length === b?.length && a?.every((size, axis) => size === b?.[axis]) === true;
}

/** Whether broadcasting `inner` with `outer` gives `outer`. */
function isWithin(inner: readonly number[], outer: Shape): boolean {
  if (outer === null || inner.length > outer.length) return inner.length === 0;
  return inner.every((size, axis) => size === 1 || size === outer[axis + outer.length - inner.length]);
}

function identity(root: Node, x: TensorRef): Node {
  const { T } = root.attrs;
  return { ...root, op: "Identity", inputs: [x], attrs: T === undefined ? {} : { T } };
}
