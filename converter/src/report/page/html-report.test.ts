import { describe, expect, test } from "vitest";
import { backendGaps } from "../../backend-gaps.ts";
import type { ConversionReport } from "../conversion-report.ts";
import { htmlReport } from "./html-report.ts";

const hostile = `</title><script>alert("x")</script><img src=x onerror='alert(1)'>`;
const spec = { dtype: "float32", shape: [null, 4] } as const;

const report: ConversionReport = {
  signatureName: "serving_default",
  signature: { inputs: { image: spec }, outputs: { scores: spec } },
  tensorflowVersion: "2.21.0",
  nodesBefore: 1353,
  nodesAfter: 174,
  opsBefore: { Conv2D: 35, Relu6: 35, Erf: 2 },
  ops: { _FusedConv2D: 35, FFT: 3 },
  needsOwnRuntime: false,
  state: [],
  ownOps: [],
  gaps: backendGaps([{ op: "FFT" }]),
  unfused: [{ op: "Relu", reason: "it follows AddV2, which no fused op ends with", nodes: ["block/relu"] }],
  variables: { count: 262, bytes: 14_155_936 },
  shards: [{ path: "a.bin", bytes: 3_500_000, sha256: "00" }],
  weightBytes: 3_500_000,
  notices: [],
  details: {
    steps: [{ pass: "foldBatchNorms", nodesBefore: 371, nodesAfter: 267, ops: { BiasAdd: 52, Mul: -52 } }],
    fused: [{ name: "conv", op: "_FusedConv2D", ops: ["Conv2D", "BiasAdd", "Relu6"], folded: ["FusedBatchNormV3"] }],
    weights: [
      { name: "ids", shape: [10], saved: "DT_INT64", stored: "int32", bytes: 40 },
      { name: "kernel", shape: [3, 3], saved: "DT_FLOAT", stored: "uint8", bytes: 9 },
    ],
    graphs: [
      {
        name: "",
        outputs: ["y"],
        nodes: [
          { name: "x", ops: ["Placeholder"], inputs: [], weights: [], shape: [null, 4] },
          { name: "y", ops: ["Conv2D", "BiasAdd"], inputs: ["x"], weights: [[3, 3, 4, 8]], shape: [null, 8] },
        ],
      },
    ],
  },
};

/** The page as a reader sees it: no markup, no styles. */
function textOf(page: string): string {
  const text = page
    .replace(/<style>[\s\S]*?<\/style>|<[^>]*>/g, " ")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code));
  return text.replace(/\s+/g, " ");
}

describe("htmlReport", () => {
  test.each([
    ["sizes", "14.2 MB → 3.5 MB"],
    ["nodes", "1353 → 174"],
    ["ports", "input image float32 [?,4]"],
    ["where ops run", "FFT 0 3 yes yes Nearside yes"],
    ["what is gone", "35 × Conv2D, 35 × Relu6, 2 × Erf"],
    ["what was fused", "1 Conv2D + BiasAdd + Relu6 FusedBatchNormV3 conv"],
    ["what was not", "1 Relu it follows AddV2, which no fused op ends with block/relu"],
    ["passes", "fold batch norms 371 → 267 −52 Mul, +52 BiasAdd"],
    ["types", "int64 → int32 1 80 bytes 40 bytes"],
    ["smaller types", "float32 → uint8 1 36 bytes 9 bytes"],
    ["how to get the accuracy", "Not measured: convert with --verify"],
    ["the graph", "fused: several ops in one kernel: y; weights 3×3×4×8 Conv2D + BiasAdd → output ?×8"],
  ])("shows %s", (_, expected) => {
    expect(textOf(htmlReport(report))).toContain(expected);
  });

  test("shows the accuracy where it was measured", () => {
    const error = { maxAbsolute: 1.23e-6, meanAbsolute: 2e-7, maxRelative: 0.5, relative: 1e-5 };
    const verification = {
      inputs: "golden",
      runs: 3,
      backend: "cpu",
      source: { scores: error, noise: error },
      golden: { scores: { ...error, problem: "expected float32 [2], got float32 [3]" } },
      randomOutputs: ["noise"],
      isOff: true,
    } as const;
    const text = textOf(htmlReport({ ...report, verification }));
    expect(text).toContain("Run 3 times on golden inputs, on cpu: off by more than it may");
    expect(text).toContain("scores the saved graph 1.2e-6 2.0e-7 5.0e-1 1.0e-5");
    expect(text).toContain("noise the saved graph random: only its type and shape were compared");
    expect(text).toContain("scores the golden values expected float32 [2], got float32 [3]");
  });

  test("has a part for each of several reports", () => {
    const page = htmlReport([report, { ...report, signatureName: "encode" }]);
    expect(page.match(/<article /g)).toHaveLength(2);
    expect(textOf(page)).toContain("Conversion report: serving_default, encode");
  });

  test("escapes whatever comes from the model", () => {
    const spread = JSON.parse(
      JSON.stringify(report).replace(/"(image|conv|kernel|y|block\/relu|Relu)"/g, () => JSON.stringify(hostile)),
    );
    const page = htmlReport({ ...spread, signatureName: hostile, tensorflowVersion: hostile, notices: [hostile] });
    expect(page).not.toMatch(/<script|<img/i);
    expect(page.split("&#60;script&#62;").length).toBeGreaterThan(8);
  });

  test("asks for nothing from elsewhere and has no scripts", () => {
    const page = htmlReport(report);
    expect(page).not.toMatch(/https?:|\/\/[a-z]|<script|<link|@import| src=| on[a-z]+=/i);
    expect(page.match(/url\([^)]*\)/g)).toEqual(["url(#arrow-0-0)"]);
    expect(page).toContain(
      `http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'`,
    );
  });

  test("draws no more than a dozen functions", () => {
    const [graph] = report.details.graphs;
    const graphs = Array.from({ length: 40 }, (_, index) => ({ nodes: [], outputs: [], ...graph, name: `f${index}` }));
    const page = htmlReport({ ...report, details: { ...report.details, graphs } });
    expect(page.match(/<svg /g)).toHaveLength(12);
    expect(textOf(page)).toContain("28 more functions are not drawn: f12, f13,");
  });

  test("stays small for a graph of 20 000 nodes", () => {
    const nodes = Array.from({ length: 20_000 }, (_, index) => ({
      name: `op${index}`,
      ops: ["Relu"],
      inputs: index === 0 ? [] : [`op${index - 1}`],
      weights: [],
      shape: null,
    }));
    const page = htmlReport({ ...report, details: { ...report.details, graphs: [{ name: "", nodes, outputs: [] }] } });
    expect(page.length).toBeLessThan(500_000);
    expect(textOf(page)).toMatch(/20000 nodes, .* 19600 more boxes are left out ?, from the end/);
  });
});
