/**
 * Axes of a result that lie together and that an operand has, too: from an element's place in the result, its place in
 * the operand is the sum over the blocks of (place / stride mod size) · step.
 */
export interface Block {
  readonly stride: number;
  readonly size: number;
  readonly step: number;
}

/** How an operand of `shape` is broadcast to `result`, the last axes first; none for a single element. */
export function broadcastBlocks(shape: readonly number[], result: readonly number[]): readonly Block[] {
  const blocks: Block[] = [];
  let [stride, step] = [1, 1];
  let isOpen = false; // whether the axis goes on with the last block
  for (let axis = result.length - 1; axis >= 0; axis--) {
    const [size = 1, whole = 1] = [shape[shape.length - (result.length - axis)], result[axis]];
    if (size > 1) {
      const last = isOpen ? blocks.pop() : undefined;
      blocks.push(last ? { ...last, size: last.size * size } : { stride, size, step });
    }
    if (whole > 1) isOpen = size > 1;
    stride *= whole;
    step *= size;
  }
  return blocks;
}
