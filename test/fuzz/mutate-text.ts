import { hostileNumber, hostileText } from "./hostile.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

/** A text with lines or words changed, or its braces nested beyond reason. */
export function mutateText(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.oneIn(4)) return mutateBytes(bytes, random);
  const lines = new TextDecoder().decode(bytes).split("\n");
  const at = random.below(lines.length);
  const line = lines[at] ?? "";
  const edits: readonly (() => void)[] = [
    () => lines.splice(at, random.size(5)),
    () => lines.splice(at, 0, ...new Array<string>(random.size(14)).fill(line)),
    () => lines.splice(at, 1, random.pick(lines)),
    () => lines.splice(at, 1, line.replace(/-?\d+/, String(hostileNumber(random)))),
    () =>
      lines.splice(
        at,
        1,
        line.replace(/"[^"]*"/, () => JSON.stringify(hostileText(random))),
      ),
    () =>
      lines.splice(
        at,
        1,
        line.replace(/\w+/, () => hostileText(random)),
      ),
    () => lines.splice(at, 0, "[{<(\\\"'#".charAt(random.below(8)).repeat(random.size(20))),
    () => lines.splice(at, 0, "a { ".repeat(random.size(17))),
    () =>
      lines.splice(
        at,
        0,
        random.pick(["\\", '"\\', '"\\x', '"\\777"', "'\\U99999999'", "- ".repeat(1e5), " ".repeat(1e6)]),
      ),
    () => lines.splice(at, 0, "9".repeat(random.size(20))),
    () => lines.splice(0, lines.length, ...lines.reverse()),
  ];
  random.pick(edits)();
  return new TextEncoder().encode(lines.join("\n"));
}

/** JSON with values removed, exchanged or set to what no program expects. */
export function mutateJson(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.oneIn(6)) return mutateBytes(bytes, random);
  const root: unknown = JSON.parse(new TextDecoder().decode(bytes));
  for (let left = random.size(2); left > 0; left--) {
    const places = containersOf(root).flatMap((holder) => Object.keys(holder).map((key) => ({ holder, key })));
    // Names of keys first, or the graph's nodes would get all the mutations.
    const named = random.pick([...new Set(places.map(({ key }) => (/^\d+$/.test(key) ? "[]" : key)))]);
    const { holder, key } = random.pick(places.filter(({ key: each }) => (/^\d+$/.test(each) ? "[]" : each) === named));
    const record = holder as Record<string, unknown>; // an array is one, too
    const edits: readonly (() => void)[] = [
      () => delete record[key],
      () => {
        const { holder: other, key: otherKey } = random.pick(places);
        record[key] = structuredClone((other as Record<string, unknown>)[otherKey]);
      },
      () => {
        record[key] = hostileText(random);
      },
      () => {
        record[key] = random.pick([
          null,
          true,
          -1,
          0.5,
          1e300,
          2 ** 40,
          [],
          {},
          [[]],
          "",
          String(hostileNumber(random)),
        ]);
      },
      () => {
        if (Array.isArray(record[key])) record[key].push(...structuredClone(record[key]));
      },
      () => {
        record[hostileText(random)] = record[key];
      },
    ];
    random.pick(edits)();
  }
  const text = JSON.stringify(root);
  if (!random.oneIn(20)) return new TextEncoder().encode(text);
  const depth = random.size(18);
  return new TextEncoder().encode(`${text.slice(0, -1)},"deep":${"[".repeat(depth)}${"]".repeat(depth)}}`);
}

function containersOf(root: unknown): object[] {
  const found: object[] = typeof root === "object" && root !== null ? [root] : [];
  // The list grows while it is walked, by what is in the containers in it.
  for (const each of found) {
    for (const value of Object.values(each)) if (typeof value === "object" && value !== null) found.push(value);
  }
  return found;
}
