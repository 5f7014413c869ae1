/** The nearest float16, halves to even; for numbers within its range. */
export function toFloat16(value: number): number {
  if (value === 0) return value;
  const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
  const huge = 1.5 * 2 ** 52; // above it float64 has no fractions, so adding rounds
  return (value / step + huge - huge) * step;
}
