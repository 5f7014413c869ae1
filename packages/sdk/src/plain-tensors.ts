import { isImage, type RunInputs, type Tensors } from "@nearside/core";

/**
 * The tensors among these as a message carries them: frameworks put proxies around a page's objects, and pages put
 * functions into them, neither of which the platform copies.
 */
export function plainTensors(inputs: RunInputs): Tensors {
  const plain = Object.entries(inputs).flatMap(([name, input]) => {
    if (isImage(input)) return [];
    const { dtype, shape, data } = input;
    return [[name, { dtype, shape: [...shape], data: ArrayBuffer.isView(data) ? data : [...data] }]];
  });
  return Object.fromEntries(plain); // whatever their names
}
