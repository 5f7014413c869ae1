import { expect, test } from "vitest";
import { fixturesRoot } from "./fixtures.ts";
import { measureFixtures } from "./fixtures-table.ts";

// What it returns depends on what ran before it.
const stateful = ["public/rust-regression-train-save-tf2 w"];

test("every signature of every fixture that converts gives TensorFlow's results on cpu", async (ctx) => {
  if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
  const rows = await measureFixtures(fixturesRoot, { backends: ["cpu"] });
  const run = rows.filter(({ results }) => results.cpu !== undefined);
  expect(run.length).toBeGreaterThan(100);
  const wrong = run.filter(({ results }) => !results.cpu?.startsWith("ok"));
  const names = wrong.map(({ fixture, signature }) => `${fixture} ${signature}`);
  expect(names.filter((name) => !stateful.includes(name))).toEqual([]);
}, 180_000); // all of them in one go, beside other tests
