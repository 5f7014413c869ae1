import { InferenceError, type QuantizedDType, quantizedDTypes } from "@nearside/core";

/**
 * Which weights to store in which smaller type: patterns for their names (`*` any text, `?` any character, `[ab]` one
 * of these, `[!ab]` none of these), or `true` for the weights that no other type's patterns match.
 */
export type QuantizeByName = { readonly [dtype in QuantizedDType]?: true | readonly string[] };

/** How to store weights in smaller types. */
export interface QuantizeOptions extends QuantizeByName {
  /**
   * Finds the smallest types by running the model, so that no output's error, √(Σ(got − want)² / Σ want²), is above
   * `maxError`: int8, and float16 or float32 for the weights that need it.
   */
  readonly auto?: { readonly maxError: number };
}

/** Throws `invalid-argument` where the options ask for a type that there isn't, or for two types for the same rest. */
export function checkQuantizeOptions(options: QuantizeOptions): void {
  if (options.auto) checkAuto(options);
  const dtypes = Object.keys(options).filter((name) => name !== "auto");
  const unknown = dtypes.find((dtype) => !Object.hasOwn(quantizedDTypes, dtype));
  if (unknown !== undefined) {
    const there = Object.keys(quantizedDTypes).join(", ");
    throw new InferenceError("invalid-argument", `quantize: expected ${there}, got ${JSON.stringify(unknown)}`);
  }
  const rest = entriesOf(options).filter(([, patterns]) => patterns === true);
  if (rest.length > 1) {
    const names = rest.map(([dtype]) => dtype).join(" and ");
    const message = `quantize: expected one type for all other weights, got ${names}`;
    throw new InferenceError("invalid-argument", `${message}; give patterns for all but one of them`);
  }
}

function checkAuto({ auto, ...others }: QuantizeOptions): void {
  if (!(Number(auto?.maxError) > 0)) {
    throw new InferenceError(
      "invalid-argument",
      `quantize.auto.maxError: expected a number > 0, got ${auto?.maxError}`,
    );
  }
  const [other] = Object.keys(others);
  if (other === undefined) return;
  throw new InferenceError("invalid-argument", `quantize: auto chooses every type; leave out ${other}`);
}

/** The type to store the weight called `name` in, if any. Throws `invalid-argument` where two types' patterns match. */
export function quantizedDTypeFor(name: string, options: QuantizeByName): QuantizedDType | undefined {
  const matching = entriesOf(options).filter(
    ([, patterns]) => patterns !== true && patterns.some((pattern) => matchesGlob(name, pattern)),
  );
  if (matching.length > 1) {
    const dtypes = matching.map(([dtype]) => dtype).join(" and ");
    const message = `quantize: expected patterns of one type to match weight "${name}", got those of ${dtypes}`;
    throw new InferenceError("invalid-argument", `${message}; make the patterns narrower`);
  }
  return (matching[0] ?? entriesOf(options).find(([, patterns]) => patterns === true))?.[0];
}

/** The patterns that match none of these names, each with its type. */
export function unusedPatterns(
  names: readonly string[],
  options: QuantizeByName,
): readonly (readonly [QuantizedDType, string])[] {
  return entriesOf(options).flatMap(([dtype, patterns]) =>
    patterns === true
      ? []
      : patterns
          .filter((pattern) => !names.some((name) => matchesGlob(name, pattern)))
          .map((pattern) => [dtype, pattern] as const),
  );
}

type Entry = readonly [dtype: QuantizedDType, patterns: true | readonly string[]];

function entriesOf(options: QuantizeByName): readonly Entry[] {
  return Object.entries(options) as Entry[]; // Object.entries widens the keys; checkQuantizeOptions looked at them
}

/** True if a shell-style pattern matches all of the text, as Python's fnmatch has it. Case matters; `*` crosses `/`. */
function matchesGlob(text: string, pattern: string): boolean {
  const source = pattern.replace(/\[(!?)(\]?[^\]]*)\]|[\s\S]/g, (part, not?: string, set?: string) => {
    if (set !== undefined) return `[${not === "!" ? "^" : ""}${escapeSet(set)}]`;
    return { "*": "[\\s\\S]*", "?": "[\\s\\S]" }[part] ?? part.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  });
  return new RegExp(`^${source}$`).test(text);
}

/** The inside of a set in a regular expression's syntax; ranges that run backwards have nothing in them. */
function escapeSet(set: string): string {
  const ranges = set.replace(/(.)-(.)/g, (range, first: string, last: string) => (first <= last ? range : ""));
  return ranges.replace(/[\\\]^[]/g, "\\$&");
}
