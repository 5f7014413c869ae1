import type { Tensors } from "@nearside/core";

/** The buffers of these tensors, each once: what a message can hand over instead of copying. */
export function buffersOf(tensors: Tensors): ArrayBuffer[] {
  const found = Object.values(tensors).flatMap(({ data }) => (ArrayBuffer.isView(data) ? [data.buffer] : []));
  return [...new Set(found)];
}
