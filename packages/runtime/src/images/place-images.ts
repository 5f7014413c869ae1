import { isImage, type RunInputs, type Tensor } from "@nearside/core";
import { engine, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { readImage } from "./read-image.ts";

/** The inputs of a run as they are when it begins; some are on the device already. */
export type PlacedInputs = Readonly<Record<string, Tensor | TfjsTensor>>;

/** Makes tensors of the images among the inputs: on the device, where the backend does that. Adds these to `placed`. */
export async function placeImages(
  inputs: RunInputs,
  { imageTensor, watch }: LoadedBackend,
  placed: TfjsTensor[],
): Promise<PlacedInputs> {
  const place = (input: RunInputs[string]) => {
    if (!isImage(input)) return input;
    const info = imageTensor?.(input);
    if (!info) return readImage(input);
    const tensor = engine().makeTensorFromTensorInfo(info);
    placed.push(tensor);
    return tensor;
  };
  return watch(async () => Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, place(input)])));
}
