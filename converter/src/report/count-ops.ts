/** How often each op occurs among nodes, constants aside, in the order of the ops' names. */
export function countOps(nodes: Iterable<{ readonly op: string }>): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { op } of nodes) if (op !== "Const") counts.set(op, (counts.get(op) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
