import { expect, test } from "vitest";
import { flags } from "./flags.ts";
import { helpText } from "./help.ts";

test("helpText lists every flag, within 120 columns", () => {
  const text = helpText();
  for (const name of Object.keys(flags)) expect(text).toContain(`--${name}`);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
});
