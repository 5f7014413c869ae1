import type { BrowserReport } from "./bench-browser.ts";

const width = 760;
const rowHeight = 22;
const labelWidth = 190;
const barWidth = 220;

/** The report as an SVG: for each model a row per library, its warm run (median) and its first result (library, model). */
export function drawChart({ backend, cpu, cores, chromium, models }: BrowserReport): string {
  const rows: string[] = [];
  let y = 54;
  for (const [model, { contenders }] of Object.entries(models)) {
    const all = Object.entries(contenders);
    const warmest = Math.max(...all.map(([, { warmMs }]) => warmMs.p50));
    const latest = Math.max(...all.map(([, { firstMs }]) => firstMs.library + firstMs.model));
    rows.push(text(8, y, model, 'font-weight="bold"'));
    y += rowHeight;
    for (const [name, { warmMs, firstMs }] of all) {
      const colour = name.startsWith("nearside") ? "#2563eb" : "#9ca3af";
      const warm = (warmMs.p50 / warmest) * barWidth;
      const library = (firstMs.library / latest) * barWidth;
      const first = (firstMs.model / latest) * barWidth;
      const second = labelWidth + barWidth + 80;
      rows.push(
        text(16, y, name),
        bar(labelWidth, y, warm, colour),
        text(labelWidth + warm + 6, y, `${warmMs.p50.toFixed(1)} ms`),
        bar(second, y, library, "#e5e7eb"),
        bar(second + library, y, first, colour),
        text(second + library + first + 6, y, `${(firstMs.library + firstMs.model).toFixed(0)} ms`),
      );
      y += rowHeight;
    }
    y += rowHeight / 2;
  }
  const title = `${backend}, Chromium ${chromium}, ${cores} cores of ${cpu}`;
  const heads = [
    text(8, 18, title),
    text(labelWidth, 36, "warm run, median"),
    text(labelWidth + barWidth + 80, 36, "first result: library (light), then model"),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${[...heads, ...rows].join("\n")}
</svg>
`;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`;
}

function bar(x: number, y: number, length: number, colour: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y - 11}" width="${length.toFixed(1)}" height="14" fill="${colour}"/>`;
}
