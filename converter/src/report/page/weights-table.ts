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
      html`<tr><th scope="row">${kind}</th><td class="number">${each.length}</td><td class="number">${formatBytes(sum(each.map(savedBytes)))}</td><td class="number">${formatBytes(sum(each.map(({ bytes }) => bytes ?? 0)))}</td></tr>
`,
  );
  const list = weights.map(
    (weight) =>
      html`<tr><th scope="row"><code>${weight.name}</code></th><td>${weight.shape.join("×") || "one number"}</td><td>${changeOf(weight)}</td><td class="number">${weight.bytes === null ? "–" : formatBytes(weight.bytes)}</td></tr>
`,
  );
  return html`<p>${variables.count} variables of ${formatBytes(variables.bytes)} became ${weights.length} weights of ${formatBytes(weightBytes)}, in ${shards.length} ${shards.length === 1 ? "shard" : "shards"}.</p>
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

/** Strings have no size before they are read. */
function savedBytes({ saved, shape }: WeightDescription): number {
  return elementCount(shape) * (dataTypes[saved].bytes ?? 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
