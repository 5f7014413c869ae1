import type { ModelSummary, PortSummary, SignatureSummary } from "../inspect.ts";
import { formatGaps } from "./format-gaps.ts";

/** What `inspect` found, as lines for a person. */
export function formatSummary({ graphs }: ModelSummary): string {
  return graphs
    .flatMap(({ tags, signatures }) => [
      `tags       ${tags.length === 0 ? "none" : tags.join(", ")}`,
      ...(signatures.length === 0 ? ["signatures none"] : signatures.flatMap(signatureLines)),
    ])
    .join("\n");
}

function signatureLines(signature: SignatureSummary): readonly string[] {
  const { name, inputs, outputs, variables, ops, gaps, problems, refusal } = signature;
  const counts = Object.entries(ops).map(([op, count]) => `${op} ${count}`);
  const isConvertible = problems.length === 0 && refusal === null;
  return [
    "",
    `signature  ${name}`,
    ...portLines("input", inputs),
    ...portLines("output", outputs),
    `variables  ${variables.count} (${variables.bytes} bytes)`,
    ...(counts.length === 0 ? [] : [`ops        ${counts.join(", ")}`]),
    ...formatGaps(gaps),
    ...problems.map(({ op, problem, nodes }) => `missing    ${nodes.length} × ${op}: ${problem}`),
    ...(refusal === null ? [] : [`refused    ${refusal}`]),
    `converts   ${isConvertible ? "yes" : "no"}`,
  ];
}

function portLines(label: string, ports: Readonly<Record<string, PortSummary>>): readonly string[] {
  return Object.entries(ports).map(([key, { dtype, shape }]) => {
    const sizes = shape === null ? "of any rank" : `[${shape.map((size) => size ?? "?").join(",")}]`;
    return `${label.padEnd(10)} ${key}: ${dtype} ${sizes}`;
  });
}
