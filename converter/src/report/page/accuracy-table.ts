import type { Verification } from "../conversion-report.ts";
import { type Html, html } from "./html.ts";

/** How far the outputs are from those of the saved model. */
export function accuracyTable(verification: Verification | undefined): Html {
  if (verification === undefined) {
    return html`<p>Not measured: convert with <code>--verify</code> to run the saved and the written model and compare their outputs.</p>`;
  }
  const { inputs, outputs } = verification;
  const rows = outputs.map(
    ({ name, maxAbsoluteError, meanAbsoluteError, maxRelativeError }) =>
      html`<tr><th scope="row">${name}</th>${[maxAbsoluteError, meanAbsoluteError, maxRelativeError].map((error) => html`<td class="number">${error.toPrecision(3)}</td>`)}</tr>`,
  );
  return html`<p>The saved and the written model were both run on ${inputs === "random" ? "random inputs" : html`the inputs in <code>${inputs}</code>`}.</p>
<table><thead><tr><th>output</th><th class="number">greatest error</th><th class="number">mean error</th><th class="number">greatest relative error</th></tr></thead><tbody>
${rows}</tbody></table>`;
}
