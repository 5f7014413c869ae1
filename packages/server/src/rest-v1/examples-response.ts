import type { Class } from "../inference/classify.ts";
import { formatFloat } from "../json/format-float.ts";
import type { ElementOptions } from "./predict-response.ts";

/** The body of a classify response: for each example its classes, each a label and a score. */
export function encodeClassifyResponse(
  classifications: readonly (readonly Class[])[],
  options: ElementOptions = {},
): string {
  const rows = classifications.map((classes) => {
    const pairs = classes.map(
      ({ label, score }) => `[${JSON.stringify(label)}, ${formatFloat(score, "float32", options)}]`,
    );
    return `[${pairs.join(", ")}]`;
  });
  return encodeResults(rows);
}

/** The body of a regress response: a number for each example. */
export function encodeRegressResponse(values: readonly number[], options: ElementOptions = {}): string {
  return encodeResults(values.map((value) => formatFloat(value, "float32", options)));
}

function encodeResults(rows: readonly string[]): string {
  return `{\n    "results": [${rows.join(", ")}\n    ]\n}`;
}
