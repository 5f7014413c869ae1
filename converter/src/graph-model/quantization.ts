import { damaged } from "../damaged.ts";
import { storageOf } from "./weight-dtype.ts";

/** The smaller types that float32 weights can be stored in, and their bytes per element. TensorFlow.js reads these. */
export const quantizedDTypes = { float16: { bytes: 2 }, uint8: { bytes: 1 }, uint16: { bytes: 2 } } as const;

/** The name of a type that float32 weights can be stored in. */
export type QuantizedDType = keyof typeof quantizedDTypes;

/** How the stored elements become float32, in the manifest's words: widened, or `stored * scale + min`. */
export type Quantization =
  | { readonly dtype: "float16"; readonly original_dtype: "float32" }
  | {
      readonly dtype: "uint8" | "uint16";
      readonly min: number;
      readonly scale: number;
      readonly original_dtype: "float32";
    };

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
export function quantizationOf(dtype: QuantizedDType, { least, greatest }: ValueRange): Quantization {
  const original_dtype = "float32";
  if (dtype === "float16") return { dtype, original_dtype };
  if (least === greatest) return { dtype, min: least, scale: 1, original_dtype };
  const scale = (greatest - least) / greatestOf(dtype);
  const hasZero = least <= 0 && greatest >= 0;
  return { dtype, min: hasZero ? -roundHalfEven(-least / scale) * scale : least, scale, original_dtype };
}

/** Float32 elements as they are stored: `round((x − min) / scale)`, or the nearest float16. */
export function quantize(values: Float32Array, quantization: Quantization): Uint8Array {
  if (quantization.dtype === "float16") return toBytes(Uint16Array.from(values, float16Bits));
  const { dtype, min, scale } = quantization;
  const max = greatestOf(dtype) * scale + min;
  const stored = dtype === "uint8" ? new Uint8Array(values.length) : new Uint16Array(values.length);
  for (const [index, value] of values.entries()) {
    stored[index] = roundHalfEven((Math.min(Math.max(value, min), max) - min) / scale);
  }
  return toBytes(stored);
}

/** The bytes of the float32 elements that stored ones stand for. */
export function dequantize(stored: Uint8Array, quantization: Quantization): Uint8Array {
  if (quantization.dtype === "float16") return storageOf("DT_HALF", "").convert(stored, "");
  const { dtype, min, scale } = quantization;
  const numbers = dtype === "uint8" ? stored : new Uint16Array(stored.slice().buffer);
  return toBytes(Float32Array.from(numbers, (number) => number * scale + min));
}

/** A manifest's `quantization`. Throws `data-loss`, naming `where`, for one that TensorFlow.js can't read either. */
export function parseQuantization(json: Readonly<Record<string, unknown>>, where: string): Quantization {
  const { dtype, min, scale } = json;
  const original_dtype = "float32";
  if (dtype === "float16") return { dtype, original_dtype };
  const isAffine = dtype === "uint8" || dtype === "uint16";
  if (isAffine && typeof min === "number" && typeof scale === "number") return { dtype, min, scale, original_dtype };
  throw damaged(`${where}, quantization`, "float16, or uint8 or uint16 with min and scale", JSON.stringify(json));
}

/** The greatest finite float16; what is half a step beyond it becomes infinite. */
export const float16Limit = 65504;

function greatestOf(dtype: "uint8" | "uint16"): number {
  return 2 ** (8 * quantizedDTypes[dtype].bytes) - 1;
}

/** To the nearest whole number, halves to the even one. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** The bits of the nearest float16, halves to even: 1 sign bit, 5 of the exponent, 10 of the fraction. */
function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= float16Limit + 16) return sign | 0x7c00;
  // Below 2^-14 the steps stay as they are there: the exponent's bits are 0. A carry out of the fraction raises them.
  const exponent = Math.max(exponentOf(size), -14);
  const steps = roundHalfEven(size * 2 ** (10 - exponent));
  return sign | (((exponent + 14) << 10) + steps);
}

/** The exponent of a float32, whose bits have it; a very large negative one for 0. */
function exponentOf(size: number): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, size);
  return (bits.getUint32(0) >>> 23) - 127;
}

function toBytes(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
