import { type BrowserBackend, browserBackends, supportOf } from "../../backend-gaps.ts";
import type { ConversionReport } from "../conversion-report.ts";
import { type Html, html, nothing } from "./html.ts";

/** How often each op occurs, before and after, and where it runs. */
export function opsTable({ ops, opsBefore, gaps }: ConversionReport): Html {
  const written = Object.entries(ops).sort(([, a], [, b]) => b - a);
  const gone = Object.keys(opsBefore).filter((op) => !Object.hasOwn(ops, op));
  const rows = written.map(
    ([op, count]) =>
      html`<tr><th scope="row">${op}</th><td class="number">${countIn(opsBefore, op)}</td><td class="number">${count}</td>${browserBackends.map((backend) => supportCell(op, backend, gaps[backend]))}</tr>
`,
  );
  const complex = browserBackends.filter((backend) => gaps[backend].some((gap) => gap.endsWith(" (complex)")));
  return html`<table><thead><tr><th>op</th><th class="number">saved</th><th class="number">written</th>${browserBackends.map((backend) => html`<th>${backend}</th>`)}</tr></thead><tbody>
${rows}</tbody></table>
<p class="note">yes: TensorFlow.js and Nearside run it there. Nearside: only Nearside's runtime does. Constants are not counted.</p>
${complex.map((backend) => html`<p class="note">On ${backend} there are no complex numbers: ${gaps[backend].join(", ")}.</p>`)}
${gone.length === 0 ? nothing : html`<details><summary>Ops of the saved graph that are gone (${gone.length})</summary><p>${gone.map((op) => `${countIn(opsBefore, op)} × ${op}`).join(", ")}</p></details>`}`;
}

function countIn(counts: Readonly<Record<string, number>>, op: string): number {
  return Object.hasOwn(counts, op) ? (counts[op] ?? 0) : 0;
}

function supportCell(op: string, backend: BrowserBackend, gaps: readonly string[]): Html {
  if (gaps.includes(op)) return html`<td class="no">no</td>`;
  if (gaps.includes(`${op} (complex)`)) return html`<td class="no">not complex</td>`;
  return supportOf(op, backend) === "any" ? html`<td class="yes">yes</td>` : html`<td class="ours">Nearside</td>`;
}
