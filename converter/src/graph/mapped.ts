/** What `change` makes of each element of a list; the very same list if it changes none. */
export function mappedList<T>(list: readonly T[], change: (each: T) => T): readonly T[] {
  let mapped: T[] | undefined;
  for (const [index, each] of list.entries()) {
    const changed = change(each);
    if (changed === each) continue;
    mapped ??= [...list];
    mapped[index] = changed;
  }
  return mapped ?? list;
}

/** The same of each value of a map. */
export function mappedValues<K, V>(map: ReadonlyMap<K, V>, change: (each: V) => V): ReadonlyMap<K, V> {
  let mapped: Map<K, V> | undefined;
  for (const [key, each] of map) {
    const changed = change(each);
    if (changed === each) continue;
    mapped ??= new Map(map);
    mapped.set(key, changed);
  }
  return mapped ?? map;
}
