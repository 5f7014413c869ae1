/** The word that `typed` is most likely a misspelling of, if any is near enough. */
export function nearestWord(typed: string, words: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(typed.length / 3));
  const near = words
    .map((word) => ({ word, distance: editDistance(typed, word) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.word ?? words.find((word) => typed.length >= 4 && (word.includes(typed) || typed.includes(word)));
}

/** How many letters to insert, delete or replace to make one text the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
