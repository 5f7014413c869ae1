import { describe, expect, test } from "vitest";
import { createProgressPrinter } from "./progress-printer.ts";

function print(isTerminal: boolean, shares: readonly number[]): string {
  let text = "";
  const write = (more: string) => {
    text += more;
  };
  const { show, end } = createProgressPrinter({ isTerminal, write });
  for (const share of shares) show({ writtenBytes: share * 2e7, totalBytes: 2e7 });
  end();
  end();
  return text;
}

describe("createProgressPrinter", () => {
  test("writes over one line on a terminal", () => {
    const text = print(true, [0.5, 1]);
    expect(text.split("\r")).toHaveLength(3);
    expect(text).toContain(`[${"█".repeat(15)}${" ".repeat(15)}]  50 %  10.0 MB of 20.0 MB`);
    expect(text.match(/\n/g)).toHaveLength(1);
  });

  test("writes a line for each tenth elsewhere", () => {
    expect(print(false, [0.05, 0.12, 0.15, 1]).split("\n")).toEqual([
      "weights  12 %  2.4 MB of 20.0 MB",
      "weights 100 %  20.0 MB of 20.0 MB",
      "",
    ]);
  });
});
