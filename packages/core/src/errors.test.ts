import { expect, test } from "vitest";
import { InferenceError } from "./errors.ts";

test("InferenceError cuts the middle out of a message that no person would read", () => {
  const { message } = new InferenceError("data-loss", `where: ${"x".repeat(1e6)}; the way out`);
  expect(message.length).toBeLessThanOrEqual(10_000);
  expect(message).toMatch(/^where: x+ … x+; the way out$/);
});
