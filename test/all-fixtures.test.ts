import { expect, test } from "vitest";
import { fixturesRoot } from "./fixtures.ts";
import { measureFixtures } from "./fixtures-table.ts";

// Refused at run time: TensorFlow.js's integers are int32, and an id of theirs is 2⁴⁰.
const beyondInt32 = ["made/hash_table_int serving_default", "made/hash_table_multi serving_default"];
// What it returns depends on what ran before it.
const stateful = ["public/rust-regression-train-save-tf2 w"];

test("every signature of every fixture that converts gives TensorFlow's results on cpu", async (ctx) => {
  if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
  const rows = await measureFixtures(fixturesRoot, { backends: ["cpu"] });
  const run = rows.filter(({ results }) => results.cpu !== undefined);
  expect(run.length).toBeGreaterThan(100);
  const wrong = run.filter(({ results }) => !results.cpu?.startsWith("ok"));
  const names = wrong.map(({ fixture, signature }) => `${fixture} ${signature}`);
  expect(names.filter((name) => !beyondInt32.includes(name) && !stateful.includes(name))).toEqual([]);
});
