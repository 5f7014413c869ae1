import type { OutputError } from "../../verification/output-errors.ts";
import type { Verification } from "../../verification/verify.ts";
import type { ConversionReport } from "../conversion-report.ts";
import { type Html, html, nothing } from "./html.ts";

/** How far the outputs are off, as far as that was measured. */
export function accuracyTable({
  verification,
  chosenDTypes,
}: Pick<ConversionReport, "verification" | "chosenDTypes">): Html {
  if (verification === undefined && chosenDTypes !== undefined) {
    const { error, maxError } = chosenDTypes;
    return html`<p>The types of the weights were chosen so that no output's relative error is above ${maxError}: it is ${error.toExponential(1)}.</p>`;
  }
  if (verification === undefined) {
    return html`<p>Not measured: convert with <code>--verify</code> to run the saved and the written model and compare their outputs.</p>`;
  }
  const { inputs, runs, backend, source, golden, isOff } = verification;
  return html`<p>Run ${runs === 1 ? "once" : `${runs} times`} on ${inputs} inputs, on ${backend}${isOff ? html`: <strong class="no">off by more than it may</strong>` : nothing}.</p>
<table><thead><tr><th>output</th><th>beside</th><th class="number">greatest error</th><th class="number">mean error</th><th class="number">greatest relative error</th><th class="number">relative error</th></tr></thead><tbody>
${rows("the saved graph", source, verification)}${golden === undefined ? nothing : rows("the golden values", golden, verification)}</tbody></table>`;
}

function rows(
  beside: string,
  errors: Readonly<Record<string, OutputError>>,
  { randomOutputs }: Verification,
): readonly Html[] {
  return Object.entries(errors).map(
    ([
      name,
      error,
    ]) => html`<tr><th scope="row">${name}</th><td>${beside}</td>${cells(error, randomOutputs.includes(name))}</tr>
`,
  );
}

function cells(error: OutputError, isRandom: boolean): Html {
  const { maxAbsolute, meanAbsolute, maxRelative, relative, problem } = error;
  if (problem !== undefined) return html`<td class="no" colspan="4">${problem}</td>`;
  if (isRandom) return html`<td colspan="4">random: only its type and shape were compared</td>`;
  const numbers = [maxAbsolute, meanAbsolute, maxRelative, relative];
  return html`${numbers.map((number) => html`<td class="number">${number.toExponential(1)}</td>`)}`;
}
