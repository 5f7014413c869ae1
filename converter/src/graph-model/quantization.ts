import { type AffineQuantization, type HalfQuantization, quantizedDTypes } from "@nearside/core";

/** The quantisations that TensorFlow.js reads, too: one range for all of a weight. */
export type TensorQuantization = HalfQuantization | AffineQuantization;

/** The least and the greatest element of a tensor. */
export interface ValueRange {
  readonly least: number;
  readonly greatest: number;
}

/**
 * How a tensor with elements in `range` is stored as `dtype`: the same numbers as the Python converter's, in float64.
 *
 *     scale = (greatest − least) / (2ⁿ − 1)
 *     min   = −round(−least / scale) · scale   where the range has 0 in it, which is then stored exactly; else least
 *
 * A tensor of equal elements has scale 1 and that element as `min`.
 */
export function quantizationOf(
  dtype: TensorQuantization["dtype"],
  { least, greatest }: ValueRange,
): TensorQuantization {
  const original_dtype = "float32";
  if (dtype === "float16") return { dtype, original_dtype };
  if (least === greatest) return { dtype, min: least, scale: 1, original_dtype };
  const scale = (greatest - least) / greatestOf(dtype);
  const hasZero = least <= 0 && greatest >= 0;
  return { dtype, min: hasZero ? -roundHalfEven(-least / scale) * scale : least, scale, original_dtype };
}

/** Float32 elements as they are stored: `round((x − min) / scale)`, or the nearest float16. */
export function quantize(values: Float32Array, quantization: TensorQuantization): Uint8Array {
  if (quantization.dtype === "float16") {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    return toBytes(new Uint16Array(bits.map(float16Bits)));
  }
  const { dtype, min, scale } = quantization;
  const max = greatestOf(dtype) * scale + min;
  // Float32 holds all of these whole numbers, and typed arrays convert and map much faster than they iterate.
  const steps = values.map((value) => roundHalfEven((Math.min(Math.max(value, min), max) - min) / scale));
  return toBytes(dtype === "uint8" ? new Uint8Array(steps) : new Uint16Array(steps));
}

/** The greatest finite float16; what is half a step beyond it becomes infinite. */
export const float16Limit = 65504;

function greatestOf(dtype: "uint8" | "uint16"): number {
  return 2 ** (8 * quantizedDTypes[dtype].bytes) - 1;
}

/** To the nearest whole number ≥ 0, halves to the even one: float64 has no fractions from 2⁵² on, so adding rounds. */
function roundHalfEven(value: number): number {
  return value + 2 ** 52 - 2 ** 52;
}

/** The bits of the float16 that is nearest to a float32, halves to even: sign, 5 bits of exponent, 10 of fraction. */
function float16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00; // NaN
  if (size >= 0x477ff000) return sign | 0x7c00; // from 65520 on: infinite
  if (size < 0x38800000) return sign | roundHalfEven(subnormalSteps(size));
  // Half a step less one, and one where the last bit kept is 1, carry upwards what is to be rounded up.
  return sign | ((size + 0xfff + ((size >>> 13) & 1) - (112 << 23)) >>> 13); // the exponents' biases differ by 112
}

/** How many steps of 2⁻²⁴, float16's smallest, a float32 below 2⁻¹⁴ is. */
function subnormalSteps(bits: number): number {
  const exponent = bits >>> 23;
  return ((bits & 0x7fffff) + (exponent === 0 ? 0 : 1 << 23)) * 2 ** (Math.max(exponent, 1) - 126);
}

function toBytes(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
