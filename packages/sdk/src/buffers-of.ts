import type { RunInputs } from "@nearside/core";

/** The buffers of the tensors among these, each once: what a message can hand over instead of copying. */
export function buffersOf(inputs: RunInputs): ArrayBuffer[] {
  const found = Object.values(inputs).flatMap((input) =>
    "data" in input && ArrayBuffer.isView(input.data) ? [input.data.buffer] : [],
  );
  return [...new Set(found)];
}
