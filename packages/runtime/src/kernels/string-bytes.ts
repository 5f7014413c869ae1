import { engine, type Tensor as TfjsTensor, tensor } from "@tensorflow/tfjs-core";

/**
 * The elements of a string tensor as TensorFlow.js holds them: as bytes, not all of which are a text's. Strings are not on
 * the device, so reading them waits for nothing.
 */
export function bytesOf(strings: TfjsTensor): readonly Uint8Array[] {
  return engine().readSync(strings.dataId) as Uint8Array[]; // of strings
}

/** A string tensor of such elements. */
export function stringsOf(bytes: readonly Uint8Array[], shape: readonly number[]): TfjsTensor {
  return tensor(bytes as unknown as string[], [...shape], "string"); // its types know of texts only
}
