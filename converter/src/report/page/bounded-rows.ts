import { type Html, html } from "./html.ts";

const maxRows = 1000;

/** The rows of a table, and where they are too many for a page to stay quick, the first of them and how many more. */
export function boundedRows(rows: readonly Html[], columns: number): readonly Html[] {
  if (rows.length <= maxRows) return rows;
  const more = html`<tr><td colspan="${columns}">and ${rows.length - maxRows} more</td></tr>`;
  return [...rows.slice(0, maxRows), more];
}
