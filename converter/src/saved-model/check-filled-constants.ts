import { damaged } from "../damaged.ts";
import type { Proto } from "./messages.ts";
import { filledBytes, maxFilledBytes } from "./tensor-proto.ts";

/**
 * Throws `data-loss`, naming `where`, if a graph's constants would take far more memory than its file: each may be
 * given as one element and a shape, so a small file could hold thousands of large ones.
 */
export function checkFilledConstants({ node, library }: Proto<"GraphDef">, where: string): void {
  const nodes = [node, ...(library?.function ?? []).map(({ nodeDef }) => nodeDef)];
  let bytes = 0;
  for (const { attr } of nodes.flat()) bytes += filledIn(attr);
  if (bytes <= maxFilledBytes) return;
  throw damaged(where, `at most ${maxFilledBytes} bytes of constants that are filled with one element`, String(bytes));
}

function filledIn(attrs: ReadonlyMap<string, Proto<"AttrValue">>): number {
  let bytes = 0;
  for (const { tensor, func, list } of attrs.values()) {
    if (tensor !== undefined) bytes += filledBytes(tensor);
    if (func !== undefined) bytes += filledIn(func.attr);
    for (const each of list?.func ?? []) bytes += filledIn(each.attr);
  }
  return bytes;
}
