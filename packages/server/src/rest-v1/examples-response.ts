import type { Class } from "../inference/classify.ts";
import { formatFloat } from "../json/format-float.ts";

/** The body of a classify response: for each example its classes, each a label and a score. */
export function encodeClassifyResponse(classifications: readonly (readonly Class[])[]): string {
  const rows = classifications.map((classes) => {
    const pairs = classes.map(({ label, score }) => `[${JSON.stringify(label)}, ${formatFloat(score, "float32")}]`);
    return `[${pairs.join(", ")}]`;
  });
  return encodeResults(rows);
}

/** The body of a regress response: a number for each example. */
export function encodeRegressResponse(values: readonly number[]): string {
  return encodeResults(values.map((value) => formatFloat(value, "float32")));
}

function encodeResults(rows: readonly string[]): string {
  return `{\n    "results": [${rows.join(", ")}\n    ]\n}`;
}
