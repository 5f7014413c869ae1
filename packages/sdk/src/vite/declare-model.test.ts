import { expect, test } from "vitest";
import { declareModel, importPattern } from "./declare-model.ts";

test("importPattern makes a relative import one that TypeScript can declare", () => {
  expect(importPattern("./saved_model?nearside")).toBe("*/saved_model?nearside");
  expect(importPattern("../../models/digits?nearside")).toBe("*/models/digits?nearside");
  expect(importPattern("/src/digits?nearside")).toBe("*/src/digits?nearside");
  expect(importPattern("@/digits?nearside")).toBe("@/digits?nearside");
});

test("declareModel keeps what was declared, longest first, and replaces what is declared anew", () => {
  const types = (key: string) => `export interface Model {\n  readonly ${key}: object;\n}\n`;
  const one = declareModel("", "*/b?nearside", types("old"));
  const two = declareModel(one, "*/a/b?nearside", types("inner"));
  const three = declareModel(two, "*/b?nearside", types("new"));
  expect([...three.matchAll(/declare module "(.*)"|readonly (\w+)/g)].map(([, name, key]) => name ?? key)).toEqual([
    "*/a/b?nearside",
    "inner",
    "*/b?nearside",
    "new",
  ]);
  expect(declareModel(three, "*/b?nearside", types("new"))).toBe(three);
});

test("declareModel declares a model of unknown types without any", () => {
  expect(declareModel("", "*/b?nearside", undefined)).toContain('const url: import("nearside").ModelUrl;');
});
