/**
 * A function that reads items in their order, of which so many are being read, or wait to be taken, at once: the bound
 * of what lies in memory.
 */
export function readAhead<Item, Result>(
  items: readonly Item[],
  count: number,
  read: (item: Item) => Promise<Result>,
): (item: Item) => Promise<Result> {
  const reading = new Map<Item, Promise<Result>>();
  let started = 0;
  return (item) => {
    for (const end = items.indexOf(item) + count; started < Math.min(end, items.length); started++) {
      const next = items[started] as Item; // within bounds
      const result = read(next);
      result.catch(() => {}); // whoever takes it hears of it
      reading.set(next, result);
    }
    const result = reading.get(item) ?? read(item);
    reading.delete(item);
    return result;
  };
}
