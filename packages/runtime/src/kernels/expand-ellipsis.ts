/**
 * An Einsum equation with letters in place of its ellipses, and the shapes that its inputs are to be broadcast to
 * first: axes under the ellipsis are matched from the last, and those of size 1 are repeated.
 */
export function expandEllipsis(
  equation: string,
  shapes: readonly (readonly number[])[],
): { readonly equation: string; readonly shapes: readonly (readonly number[])[] } {
  const [left = "", output = ""] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",").map((text, index) => {
    const [before = "", after] = text.split("...");
    const shape = shapes[index] ?? [];
    const end = after === undefined ? before.length : shape.length - after.length;
    return { before, after, shape, ellipsis: shape.slice(before.length, end) };
  });
  const rank = Math.max(...terms.map(({ ellipsis }) => ellipsis.length));
  const letters = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    .filter((letter) => !equation.includes(letter))
    .slice(0, rank)
    .join("");
  const sizes = Array.from({ length: rank }, (_, axis) =>
    Math.max(...terms.map(({ ellipsis }) => ellipsis[axis - rank + ellipsis.length] ?? 1)),
  );
  const inputs = terms.map(({ before, after }) => (after === undefined ? before : before + letters + after));
  return {
    equation: `${inputs.join(",")}->${output.replace("...", letters)}`,
    shapes: terms.map(({ before, after, shape, ellipsis }) =>
      after === undefined
        ? shape
        : [...shape.slice(0, before.length), ...sizes, ...shape.slice(before.length + ellipsis.length)],
    ),
  };
}
