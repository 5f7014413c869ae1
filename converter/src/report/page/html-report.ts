import { formatSpec, type TensorSpec } from "@nearside/core";
import type { ConversionReport } from "../conversion-report.ts";
import type { GraphOutline } from "../outline-graph.ts";
import { accuracyTable } from "./accuracy-table.ts";
import { graphPicture } from "./graph-picture.ts";
import { summary } from "./headline.ts";
import { type Html, html, nothing } from "./html.ts";
import { opsTable } from "./ops-table.ts";
import { pageStyle } from "./page-style.ts";
import { fusedTable, stepsTable, unfusedTable } from "./rewrites.ts";
import { weightsTable } from "./weights-table.ts";

/**
 * A page about a conversion, or about several (of each signature, say): one HTML document that asks for nothing else,
 * has no scripts and says so to the browser. All text of the model's is escaped.
 */
export function htmlReport(reports: ConversionReport | readonly ConversionReport[]): string {
  const list = [reports].flat();
  const title = `Conversion report: ${list.map(({ signatureName }) => signatureName).join(", ")}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${{ html: pageStyle }}</style>
</head>
<body>
<main>
${list.length > 1 ? html`<nav aria-label="signatures"><ul>${list.map(({ signatureName }, index) => html`<li><a href="#signature-${index}">${signatureName}</a></li>`)}</ul></nav>` : nothing}
${list.map((report, index) => html`<article id="signature-${index}">${sections(report, String(index))}</article>`)}
</main>
</body>
</html>
`;
  return page.html;
}

function sections(report: ConversionReport, id: string): Html {
  const { signatureName, tensorflowVersion, signature, details, notices } = report;
  return html`<header><h1>${signatureName}</h1><p>converted from TensorFlow ${tensorflowVersion || "of unknown version"}</p></header>
${notices.length === 0 ? nothing : html`<section><h2>Notices</h2><ul>${notices.map((notice) => html`<li>${notice}</li>`)}</ul></section>`}
${summary(report)}
<section><h2>Inputs and outputs</h2><table><thead><tr><th></th><th>name</th><th>type and shape</th></tr></thead><tbody>
${ports("input", signature.inputs)}${ports("output", signature.outputs)}</tbody></table></section>
<section><h2>Accuracy</h2>${accuracyTable(report)}</section>
<section><h2>Ops and backends</h2>${opsTable(report)}</section>
${details.steps.length + report.unfused.length === 0 ? html`<section><h2>Rewriting</h2><p>The graph stayed as it is.</p></section>` : rewrites(report)}
<section><h2>Weights</h2>${weightsTable(report)}</section>
<section><h2>The graph</h2>${pictures(details.graphs, id)}</section>`;
}

function rewrites({ details, unfused }: ConversionReport): Html {
  return html`<section><h2>What was fused</h2>${fusedTable(details.fused)}</section>
<section><h2>What stayed unfused, and why</h2>${unfusedTable(unfused)}</section>
<section><h2>What each pass did</h2>${stepsTable(details.steps)}</section>`;
}

const maxPictures = 12;

function pictures(graphs: readonly GraphOutline[], id: string): Html {
  const rest = graphs.slice(maxPictures).map(({ name }) => name);
  const names = rest.length > 100 ? `${rest.slice(0, 100).join(", ")}, …` : rest.join(", ");
  return html`${graphs.slice(0, maxPictures).map(
    (outline, index) => html`${outline.name === "" ? nothing : html`<h3>function ${outline.name}</h3>`}
${graphPicture(outline, `${id}-${index}`)}`,
  )}${rest.length === 0 ? nothing : html`<p>${rest.length} more functions are not drawn: ${names}</p>`}`;
}

function ports(label: string, specs: Readonly<Record<string, TensorSpec>>): readonly Html[] {
  return Object.entries(specs).map(
    ([key, spec]) => html`<tr><td>${label}</td><th scope="row">${key}</th><td>${formatSpec(spec)}</td></tr>`,
  );
}
