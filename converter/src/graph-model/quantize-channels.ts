import { type ChannelQuantization, elementCount, quantizedBytes, weightChannels } from "@nearside/core";

/**
 * Float32 elements as int8 with a scale per channel: `stored = round(x / scale)`, where the scale is a share of what
 * the channel's greatest element needs, greatest / 127. The share is the one with the least squared error: cutting off
 * what few elements reach makes the steps of all others smaller.
 */
export function quantizeChannels(
  values: Float32Array,
  quantization: ChannelQuantization,
  shape: readonly number[],
): Uint8Array {
  const { count, stride } = weightChannels(shape, quantization.axes);
  const bytes = new Uint8Array(quantizedBytes(quantization, shape));
  const view = new DataView(bytes.buffer);
  const blocks = elementCount(shape) / (count * stride);
  const channel = new Float64Array(blocks * stride);
  for (let index = 0; index < count; index++) {
    const placeOf = (at: number) => (Math.floor(at / stride) * count + index) * stride + (at % stride);
    for (let at = 0; at < channel.length; at++) channel[at] = values[placeOf(at)] as number; // all within the tensor
    const { bits, value: scale } = findScale(channel);
    const stored = roundTogether(channel, scale);
    for (let at = 0; at < channel.length; at++) view.setInt8(placeOf(at), stored[at] as number);
    view.setUint16(values.length + 2 * index, bits, true);
  }
  return bytes;
}

const greatest = 127;
const shares: readonly number[] = Array.from({ length: 16 }, (_, step) => 1 - 0.02 * step);

/** The scale with which rounding makes the least squared error. */
function findScale(channel: Float64Array): Bfloat16 {
  let size = 0;
  for (let at = 0; at < channel.length; at++) size = Math.max(size, Math.abs(channel[at] as number));
  let best = nearestBfloat16(size / greatest);
  let leastError = Number.POSITIVE_INFINITY;
  for (const share of shares) {
    const scale = nearestBfloat16((share * size) / greatest);
    let error = 0;
    for (let at = 0; at < channel.length; at++) {
      const value = channel[at] as number;
      error += (roundTo(value / scale.value) * scale.value - value) ** 2;
    }
    if (error < leastError) [best, leastError] = [scale, error]; // NaN, of a scale of 0, isn't less
  }
  return best;
}

/**
 * Rounds each element, then those of the other direction that lie nearest to the middle between two numbers, until the
 * errors add up to half a step at most: what an op multiplies a filter by (pixels, activations) is seldom around 0, and
 * then errors of one direction add up. The idea is SQuant's (Guo et al., 2022).
 */
function roundTogether(channel: Float64Array, scale: number): Float64Array {
  if (scale === 0) return new Float64Array(channel.length);
  const stored = channel.map((value) => roundTo(value / scale));
  const errors = channel.map((value, at) => (stored[at] as number) - value / scale); // of equal length
  const total = errors.reduce((sum, error) => sum + error, 0);
  const [direction, count] = [Math.sign(total), Math.min(Math.round(Math.abs(total)), channel.length)];
  if (count === 0) return stored;
  const sorted = errors.map((error) => error * direction).sort();
  const limit = Math.max(0, sorted[sorted.length - count] as number); // count ≤ length
  let left = count;
  for (let at = 0; at < stored.length && left > 0; at++) {
    const error = (errors[at] as number) * direction;
    const moved = (stored[at] as number) - direction;
    // Elements that were cut off err by more than half a step, and have nowhere to go.
    if (error < limit || error > 0.5 || Math.abs(moved) > greatest) continue;
    stored[at] = moved;
    left--;
  }
  return stored;
}

function roundTo(steps: number): number {
  return Math.max(-greatest, Math.min(greatest, Math.round(steps)));
}

interface Bfloat16 {
  readonly bits: number;
  readonly value: number;
}

/** The nearest number that is the upper half of a float32, halves to even. */
function nearestBfloat16(number: number): Bfloat16 {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, number);
  const all = view.getUint32(0);
  const bits = (all + 0x7fff + ((all >>> 16) & 1)) >>> 16;
  view.setUint32(0, bits << 16);
  return { bits, value: view.getFloat32(0) };
}
