const labelWidth = 260;
const barWidth = 220;
const columnWidth = barWidth + 80;
const rowHeight = 22;
const [ours, others, light] = ["#2563eb", "#9ca3af", "#e5e7eb"];

/**
 * An SVG with a row for each thing measured, in groups, and a column of bars for each figure: within a group the longest
 * of a column has the full width. Of a bar with two lengths the first is drawn light.
 */
export function drawChart({ title, columns, groups }) {
  const parts = [text(8, 18, title), ...columns.map((head, column) => text(columnAt(column), 36, head))];
  let y = 54;
  for (const { name, rows } of groups) {
    parts.push(text(8, y, name, 'font-weight="bold"'));
    const longest = columns.map((_, column) => Math.max(...rows.map(({ bars }) => sum(bars[column].lengths))));
    for (const { name: row, isOurs, bars } of rows) {
      y += rowHeight;
      parts.push(text(16, y, row));
      for (const [column, { lengths, label }] of bars.entries()) {
        let x = columnAt(column);
        for (const [index, length] of lengths.entries()) {
          const width = (length / longest[column]) * barWidth;
          parts.push(bar(x, y, width, index < lengths.length - 1 ? light : isOurs ? ours : others));
          x += width;
        }
        parts.push(text(x + 6, y, label));
      }
    }
    y += 1.5 * rowHeight;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${columnAt(columns.length)}" height="${y}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${parts.join("\n")}
</svg>
`;
}

function columnAt(column) {
  return labelWidth + column * columnWidth;
}

function sum(numbers) {
  return numbers.reduce((total, each) => total + each, 0);
}

function text(x, y, content, attributes = "") {
  const escaped = content.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`;
}

function bar(x, y, length, colour) {
  return `<rect x="${x.toFixed(1)}" y="${y - 11}" width="${length.toFixed(1)}" height="14" fill="${colour}"/>`;
}
