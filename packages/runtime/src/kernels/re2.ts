import { invalid } from "./plain-tensors.ts";

/** What RE2 writes otherwise than JavaScript does. */
const dialect: readonly (readonly [RegExp, string])[] = [
  [/\(\?P</g, "(?<"],
  [/\\A/g, "^"],
  [/\\z/g, "$"],
  [/\\([pP])([A-Z])/g, "\\$1{$2}"],
  [/\[:alpha:\]/g, "A-Za-z"],
  [/\[:digit:\]/g, "0-9"],
  [/\[:alnum:\]/g, "0-9A-Za-z"],
  [/\[:upper:\]/g, "A-Z"],
  [/\[:lower:\]/g, "a-z"],
  [/\[:space:\]/g, "\\t-\\r "],
  [/\[:punct:\]/g, "!-\\/:-@\\[-`{-~"],
  [/\[:word:\]/g, "\\w"],
];

/** The JavaScript form of one of RE2's patterns, which is what TensorFlow takes. Throws for one that has none. */
export function toRegExp(pattern: string, flags: string): RegExp {
  // Flags at the very start, also behind the ^(?: that a full match puts there.
  const [, start = "", inline = ""] = /^(\^\(\?:)?\(\?([ims]+)\)/.exec(pattern) ?? [];
  const rest = inline === "" ? pattern : start + pattern.slice(start.length + inline.length + 3);
  const source = dialect.reduce((text, [from, to]) => text.replace(from, to), rest);
  try {
    const hasProperties = /\\[pP]\{/.test(source);
    // "u" refuses escapes such as \' and \-, which RE2 allows; only \p{…} needs it.
    return hasProperties
      ? new RegExp(source.replace(/\\([^\w\s^$\\.*+?()[\]{}|/-])/g, "$1"), `${flags}${inline}u`)
      : new RegExp(source, flags + inline);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid("RegexReplace", `the pattern ${pattern} has no JavaScript form: ${reason}`);
  }
}

/** RE2's rewrite (`\0` the match, `\1` the first group, `\\` a backslash) as String.replace takes it. */
export function toReplacement(rewrite: string): string {
  return rewrite.replace(/\\(\d|\\)|\$/g, (match, escaped: string | undefined) => {
    if (match === "$") return "$$"; // from a function, so as it stands
    if (escaped === "\\") return "\\";
    return escaped === "0" ? "$&" : `$${escaped}`;
  });
}
