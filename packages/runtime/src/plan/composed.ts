import { type TensorInfo, type Tensor as TfjsTensor, tidy } from "@tensorflow/tfjs-core";
import { withElements } from "../products/with-elements.ts";
import { type Device, fromTfjsTensor, toTfjsTensor } from "./device.ts";

/** Computes with TensorFlow.js's own ops; their tensors in between are freed. Borrows its inputs, gives away its outputs. */
export function compose(
  device: Device,
  inputs: readonly TensorInfo[],
  compute: (inputs: readonly TfjsTensor[]) => TfjsTensor | readonly TfjsTensor[],
): readonly TensorInfo[] {
  const { backend, productElements } = device;
  const run = () => {
    const tensors = inputs.map((input) => toTfjsTensor(device, input));
    // One that is returned as it came, or twice, would be freed as often as it is held.
    const seen = new Set<TfjsTensor>(tensors);
    return [compute(tensors)].flat().map((output) => {
      if (seen.has(output)) return output.clone();
      seen.add(output);
      return output;
    });
  };
  const outputs = withElements(backend, productElements, () => tidy(run));
  return outputs.map((output) => fromTfjsTensor(device, output));
}
