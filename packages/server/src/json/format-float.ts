/** How many digits a float32 and a float64 need at most to be told from every other. */
const maxDigits = { float32: 9, float64: 17 } as const;

/**
 * The text of a floating-point number as TensorFlow Serving writes it: six digits if they read back as the same
 * number, else all that are needed; whole numbers end in `.0`; NaN and infinities are bare words, which only tolerant
 * JSON parsers read, or else null.
 */
export function formatFloat(value: number, dtype: "float32" | "float64", { nonFiniteAsNull = false } = {}): string {
  if (!Number.isFinite(value)) return nonFiniteAsNull ? "null" : String(value); // NaN, Infinity, -Infinity
  const short = formatDigits(value, 6);
  const read = dtype === "float32" ? Math.fround(Number(short)) : Number(short);
  const text = read === value ? short : formatDigits(value, maxDigits[dtype]);
  return text.includes(".") || text.includes("e") ? text : `${text}.0`;
}

/** C's `%.{digits}g`: an exponent where it is below −4 or not below `digits`, and no zeros at the end. */
function formatDigits(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (Math.abs(value) >= 1e-4) {
    const text = value.toPrecision(digits); // has an exponent from 10^digits on, as rounded: the same rule
    if (!text.includes("e")) return trimZeros(text);
  }
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string]; // always has an e
  const power = Number(exponent);
  if (power === -4) return trimZeros(value.toFixed(digits - 1 - power)); // it was rounded up to that
  const sign = power < 0 ? "-" : "+";
  return `${trimZeros(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}

const [zero, point] = ["0".charCodeAt(0), ".".charCodeAt(0)];

function trimZeros(text: string): string {
  if (!text.includes(".")) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === zero) end--;
  if (text.charCodeAt(end - 1) === point) end--;
  return text.slice(0, end);
}
