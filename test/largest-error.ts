import type { Tensor, Tensors } from "@nearside/core";

/**
 * The largest |got − want| / (1 + |want|) among all elements: ∞ for an integer, boolean or string that differs. Throws
 * where a tensor's name, dtype or shape differs. Of a run that is not deterministic only those are compared.
 */
export function largestError(
  actual: Tensors,
  expected: Tensors,
  { isDeterministic = true }: { isDeterministic?: boolean } = {},
): number {
  let largest = 0;
  for (const [name, want] of Object.entries(expected)) {
    const got = actual[name];
    if (got === undefined) throw new Error(`output "${name}" is missing`);
    const [gotType, wantType] = [describeType(got), describeType(want)];
    if (gotType !== wantType) throw new Error(`output "${name}": expected ${wantType}, got ${gotType}`);
    if (isDeterministic) largest = Math.max(largest, dataError(got, want));
  }
  return largest;
}

function describeType({ dtype, shape }: Tensor): string {
  return `${dtype} [${shape.join(",")}]`;
}

function dataError(got: Tensor, want: Tensor): number {
  const isExact = !["float32", "float64", "complex64"].includes(want.dtype);
  let largest = 0;
  for (let index = 0; index < want.data.length; index++) {
    const [value, expected] = [got.data[index], want.data[index]];
    if (Object.is(value, expected) || value === expected) continue;
    if (isExact) return Number.POSITIVE_INFINITY;
    const error = Math.abs(Number(value) - Number(expected)) / (1 + Math.abs(Number(expected)));
    largest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(largest, error);
  }
  return largest;
}
