/** Markup. Only {@link html} makes it, which escapes what it is given. */
export interface Html {
  readonly html: string;
}

/** What may stand in a template: text and numbers, which are escaped, and markup. */
export type HtmlValue = string | number | Html | readonly Html[];

/** A template literal as markup: html`<td>${name}</td>`. Values may stand in content and in quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const filled = parts.map((part, index) => part + (index < values.length ? markup(values[index]) : ""));
  return { html: filled.join("") };
}

/** No markup at all. */
export const nothing: Html = { html: "" };

function markup(value: HtmlValue | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return escapeText(String(value));
  return "html" in value ? value.html : value.map((each) => each.html).join("");
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`).replace(unprintable, "\u{FFFD}");
}

/** Characters that HTML forbids, or that make text look like another. */
const unprintable = /[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
