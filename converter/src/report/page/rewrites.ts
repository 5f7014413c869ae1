import type { PassStep } from "../../passes/run-passes.ts";
import type { Unfused } from "../explain-unfused.ts";
import type { FusedNode } from "../list-fused.ts";
import { boundedRows } from "./bounded-rows.ts";
import { type Html, html, nothing } from "./html.ts";

/** Which ops became one, how often, and where. */
export function fusedTable(fused: readonly FusedNode[]): Html {
  if (fused.length === 0) return html`<p>Nothing: no op follows another that a fused one could take up.</p>`;
  const kinds = new Map<
    string,
    { readonly ops: readonly string[]; readonly folded: readonly string[]; readonly names: string[] }
  >();
  for (const { name, ops, folded } of fused) {
    const key = JSON.stringify([ops, folded]);
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, { ops, folded, names: [name] });
    else kind.names.push(name);
  }
  const rows = [...kinds.values()].map(
    ({ ops, folded, names }) =>
      html`<tr><td class="number">${names.length}</td><td>${ops.join(" + ")}</td><td>${folded.join(", ") || "–"}</td><td>${nameList(names)}</td></tr>
`,
  );
  return html`<p>Nodes that do the work of several: ${fused.length}. Their kernels do these ops in one go; what was folded is part of their weights.</p>
<table><thead><tr><th class="number">nodes</th><th>in one kernel</th><th>folded into the weights</th><th>where</th></tr></thead><tbody>
${rows}</tbody></table>`;
}

/** Which nodes run on their own, and why. */
export function unfusedTable(unfused: readonly Unfused[]): Html {
  if (unfused.length === 0) return html`<p>Nothing that a fused op could take up.</p>`;
  const sorted = [...unfused].sort((a, b) => b.nodes.length - a.nodes.length);
  const rows = sorted.map(
    ({ op, reason, nodes }) =>
      html`<tr><td class="number">${nodes.length}</td><th scope="row">${op}</th><td>${reason}</td><td>${nameList(nodes)}</td></tr>
`,
  );
  return html`<table><thead><tr><th class="number">nodes</th><th>op</th><th>why</th><th>where</th></tr></thead><tbody>
${boundedRows(rows, 4)}</tbody></table>`;
}

/** The passes that changed the graph's ops, in order. */
export function stepsTable(steps: readonly PassStep[]): Html {
  const rows = steps.map(
    ({ pass, nodesBefore, nodesAfter, ops }) =>
      html`<tr><th scope="row">${wordsOf(pass)}</th><td class="number">${nodesBefore} → ${nodesAfter}</td><td>${changes(ops)}</td></tr>
`,
  );
  return html`<details><summary>From the saved graph to the written one (${steps.length})</summary>
<table><thead><tr><th>pass</th><th class="number">nodes</th><th>ops</th></tr></thead><tbody>
${rows}</tbody></table></details>`;
}

function changes(ops: PassStep["ops"]): string {
  const sorted = Object.entries(ops).sort(([, a], [, b]) => a - b);
  return sorted.map(([op, change]) => `${change > 0 ? "+" : "−"}${Math.abs(change)} ${op}`).join(", ");
}

/** `foldBatchNorms` as `fold batch norms`. */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** A few names, and the rest to unfold. */
function nameList(names: readonly string[]): Html {
  const [first = "", ...rest] = names;
  if (rest.length === 0) return html`<code>${first}</code>`;
  const shown = rest.slice(0, 200);
  const more = rest.length > shown.length ? html`<br>and ${rest.length - shown.length} more` : nothing;
  return html`<details><summary><code>${first}</code> and ${rest.length} more</summary>${shown.map((name) => html`<code>${name}</code><br>`)}${more}</details>`;
}
