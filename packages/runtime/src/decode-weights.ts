import {
  type ChannelQuantization,
  dequantizeChannels,
  dtypes,
  elementCount,
  InferenceError,
  isDType,
  type Manifest,
  quantizedBytes,
  type WeightSpec,
} from "@nearside/core";

/** Weights as TensorFlow.js decodes them. */
export interface DecodableWeights {
  readonly specs: readonly WeightSpec[];
  readonly bytes: AsyncIterator<ArrayBuffer>;
}

/**
 * A model's weights with those as float32 that TensorFlow.js can't decode: int8 with a scale per channel. The others
 * pass through as they are stored. Ends with `data-loss` where the shards end before the weights.
 */
export function decodeWeights({ weightGroups }: Manifest, shards: AsyncIterator<ArrayBuffer>): DecodableWeights {
  const weights = weightGroups.flatMap((group) => group.weights);
  if (!weights.some(isPerChannel)) return { specs: weights, bytes: shards };
  return { specs: weights.map(decodedSpec), bytes: decodeEach(weights, byteReader(shards)) };
}

function decodedSpec(weight: WeightSpec): WeightSpec {
  const { name, dtype, shape } = weight;
  return isPerChannel(weight) ? { name, dtype, shape } : weight;
}

async function* decodeEach(weights: readonly WeightSpec[], bytes: ByteReader): AsyncGenerator<ArrayBuffer> {
  for (const weight of weights) {
    const { name, dtype, shape, quantization } = weight;
    const count = elementCount(shape);
    const take = (size: number) => bytes.take(size, name);
    if (isPerChannel(weight)) {
      const stored = await take(quantizedBytes(weight.quantization, shape));
      yield dequantizeChannels(stored, weight.quantization, shape).buffer;
    } else if (dtype === "string") {
      // Each is its length, in four bytes, and its text.
      for (let index = 0; index < count; index++) {
        const length = await take(4);
        yield length.buffer;
        yield (await take(new DataView(length.buffer).getUint32(0, true))).buffer;
      }
    } else {
      const elementBytes = isDType(dtype) ? (dtypes[dtype].bytes ?? 0) : 0; // TensorFlow.js refuses what it doesn't know
      yield (await take(quantization ? quantizedBytes(quantization, shape) : count * elementBytes)).buffer;
    }
  }
}

function isPerChannel(weight: WeightSpec): weight is WeightSpec & { readonly quantization: ChannelQuantization } {
  return weight.quantization?.dtype === "int8";
}

interface ByteReader {
  /** The next bytes, of the weight of that name. */
  take(size: number, name: string): Promise<Uint8Array<ArrayBuffer>>;
}

function byteReader(shards: AsyncIterator<ArrayBuffer>): ByteReader {
  let rest = new Uint8Array(0);
  return {
    async take(size, name) {
      const taken = new Uint8Array(size);
      let at = 0;
      while (at < size) {
        if (rest.length === 0) {
          const { value, done } = await shards.next();
          if (done) throw tooShort(name, size, at);
          rest = new Uint8Array(value);
        }
        const part = rest.subarray(0, size - at);
        taken.set(part, at);
        at += part.length;
        rest = rest.subarray(part.length);
      }
      return taken;
    },
  };
}

function tooShort(name: string, size: number, got: number): InferenceError {
  const message = `weight "${name}": expected ${size} bytes in the shards, got ${got}`;
  return new InferenceError("data-loss", `${message}; convert or upload the model again`);
}
