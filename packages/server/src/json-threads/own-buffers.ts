/**
 * The memory of the arrays in a value (in it, or in objects of it), where an array has its memory for itself: then it
 * can go to another thread without being copied.
 */
export function ownBuffers(value: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const visit = (item: unknown): void => {
    if (ArrayBuffer.isView(item)) {
      const { buffer, byteLength } = item;
      if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffers.add(buffer);
    } else if (typeof item === "object" && item !== null && !Array.isArray(item)) {
      for (const member of Object.values(item)) visit(member);
    }
  };
  visit(value);
  return [...buffers];
}
