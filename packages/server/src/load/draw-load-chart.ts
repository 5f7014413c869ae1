import { describeLoad, type LoadSummary } from "./summarise-load.ts";

const width = 720;
const panelHeight = 200;
const margin = { left: 64, right: 72, top: 36, bottom: 28 };

const latencies = [
  { key: "p50Ms", name: "p50", colour: "#2a9d8f" },
  { key: "p95Ms", name: "p95", colour: "#e9a03b" },
  { key: "p99Ms", name: "p99", colour: "#d1495b" },
] as const;

/** A chart of loads, in their order: latencies above, requests per second below. An SVG document. */
export function drawLoadChart(title: string, summaries: readonly LoadSummary[]): string {
  const panels = [
    drawPanel(
      "latency, ms",
      summaries,
      latencies.map(({ key, ...line }) => ({ ...line, values: summaries.map((each) => each[key]) })),
    ),
    drawPanel("answered per second", summaries, [
      { name: "", colour: "#3a6ea5", values: summaries.map(({ perSecond }) => perSecond) },
    ]),
  ];
  const offset = margin.top + panelHeight + margin.bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${24 + 2 * offset}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="${margin.left}" y="20" font-size="14">${escapeText(title)}</text>`,
    ...panels.map((panel, index) => `<g transform="translate(0 ${24 + index * offset})">${panel}</g>`),
    "</svg>",
  ].join("\n");
}

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

function drawPanel(label: string, summaries: readonly LoadSummary[], lines: readonly Line[]): string {
  const top = niceCeiling(Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const innerWidth = width - margin.left - margin.right;
  const x = (index: number) => margin.left + (innerWidth * (index + 0.5)) / summaries.length;
  const y = (value: number) => margin.top + panelHeight * (1 - value / top);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * top);
  return [
    `<text x="${margin.left}" y="${margin.top - 12}" fill="#555">${label}</text>`,
    ...ticks.map((tick) => `<path d="M${margin.left} ${y(tick)}h${innerWidth}" stroke="#ddd"/>`),
    ...ticks.map(
      (tick) =>
        `<text x="${margin.left - 8}" y="${y(tick) + 4}" text-anchor="end">${Number(tick.toPrecision(3))}</text>`,
    ),
    ...summaries.map(
      ({ load }, index) =>
        `<text x="${x(index)}" y="${margin.top + panelHeight + 18}" text-anchor="middle">${describeLoad(load)}</text>`,
    ),
    ...lines.map((line) => drawLine(line, x, y)),
  ].join("\n");
}

function drawLine({ name, colour, values }: Line, x: (index: number) => number, y: (value: number) => number): string {
  const points = values.flatMap((value, index) => (value === null ? [] : [{ x: x(index), y: y(value) }]));
  const path = points.map((point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`).join("L");
  const last = points.at(-1);
  return [
    ...(path ? [`<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`] : []),
    ...points.map((point) => `<circle cx="${point.x.toFixed(1)}" cy="${point.y.toFixed(1)}" r="3" fill="${colour}"/>`),
    ...(last && name ? [`<text x="${last.x + 8}" y="${last.y + 4}" fill="${colour}">${name}</text>`] : []),
  ].join("");
}

/** The next of 1, 2, 2.5, 5 and 10 times a power of ten. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10);
}

function escapeText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}
