/**
 * Splits like Python's `str.split`: at each `separator`, or, where it is empty, at runs of ASCII white space, without
 * empty parts. After `maxSplits` splits (−1: no limit) the rest stays whole.
 */
export function splitText(text: string, separator: string, maxSplits: number): readonly string[] {
  if (separator !== "") {
    const parts = text.split(separator);
    if (maxSplits < 0 || parts.length <= maxSplits + 1) return parts;
    return [...parts.slice(0, maxSplits), parts.slice(maxSplits).join(separator)];
  }
  const parts: string[] = [];
  const word = /[^\t-\r ]+/g;
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    if (maxSplits >= 0 && parts.length === maxSplits) return [...parts, text.slice(match.index)];
    parts.push(match[0]);
  }
  return parts;
}
