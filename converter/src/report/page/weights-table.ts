import { elementCount } from "@nearside/core";
import { dataTypes } from "../../graph/data-type.ts";
import type { ConversionReport } from "../conversion-report.ts";
import type { WeightDescription } from "../describe-weights.ts";
import { formatBytes } from "../format-bytes.ts";
import { boundedRows } from "./bounded-rows.ts";
import { type Html, html } from "./html.ts";

/** How many bytes of weights there are, in which types, and which have another type than in the model. */
export function weightsTable({ details: { weights }, shards, weightBytes, variables }: ConversionReport): Html {
  const kinds = new Map<string, WeightDescription[]>();
  for (const weight of weights) {
    const kind = changeOf(weight);
    const known = kinds.get(kind);
    if (known === undefined) kinds.set(kind, [weight]);
    else known.push(weight);
  }
  const rows = [...kinds].map(
    ([kind, each]) =>
      html`<tr><th scope="row">${kind}</th><td class="number">${each.length}</td><td class="number">${totalBytes(each.map(savedBytes))}</td><td class="number">${totalBytes(each.map(({ bytes }) => bytes))}</td></tr>
`,
  );
  const list = weights.map(
    (weight) =>
      html`<tr><th scope="row"><code>${weight.name}</code></th><td>${weight.shape.join("×") || "one number"}</td><td>${changeOf(weight)}</td><td class="number">${totalBytes([weight.bytes])}</td></tr>
`,
  );
  return html`<p>Variables that are read: ${variables.count} (${formatBytes(variables.bytes)}). Weights that are written: ${weights.length} (${formatBytes(weightBytes)}), in ${shards.length} ${shards.length === 1 ? "shard" : "shards"}.</p>
<table><thead><tr><th>type</th><th class="number">weights</th><th class="number">as saved</th><th class="number">as stored</th></tr></thead><tbody>
${rows}</tbody></table>
<details><summary>All weights</summary><table><thead><tr><th>name</th><th>shape</th><th>type</th><th class="number">stored</th></tr></thead><tbody>
${boundedRows(list, 4)}</tbody></table></details>`;
}

/** `int64 → int32`, or the type alone where it stays. */
function changeOf({ saved, stored }: WeightDescription): string {
  const before = typeName(saved);
  return before === stored ? before : `${before} → ${stored}`;
}

const names: Readonly<Record<string, string>> = { DT_FLOAT: "float32", DT_DOUBLE: "float64", DT_HALF: "float16" };

function typeName(dtype: string): string {
  return names[dtype] ?? dtype.replace(/^DT_/, "").toLowerCase();
}

function savedBytes({ saved, shape }: WeightDescription): number | null {
  const { bytes } = dataTypes[saved];
  return bytes === null ? null : bytes * elementCount(shape);
}

/** The sum; strings have no sizes of their own. */
function totalBytes(sizes: readonly (number | null)[]): string {
  const known = sizes.filter((size) => size !== null);
  return known.length === 0 ? "–" : formatBytes(known.reduce((total, size) => total + size, 0));
}
