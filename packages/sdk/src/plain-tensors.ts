import { isImage, type RunInputs, type Tensors } from "@nearside/core";

/**
 * The tensors among these as a message carries them: frameworks put proxies around a page's objects, and pages put
 * functions into them, neither of which the platform copies.
 */
export function plainTensors(inputs: RunInputs): Tensors {
  const plain: Record<string, Tensors[string]> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (isImage(input)) continue;
    const { dtype, shape, data } = input;
    plain[name] = { dtype, shape: [...shape], data: ArrayBuffer.isView(data) ? data : [...data] };
  }
  return plain;
}
