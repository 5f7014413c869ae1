import { expect, test } from "vitest";
import { retryAfterMs } from "./retry-after.ts";

const asking = (value: string) => new Response(null, { headers: { "retry-after": value } });

test("retryAfterMs reads seconds and dates", () => {
  expect(retryAfterMs(asking("120"))).toBe(120_000);
  const nowMs = Date.parse("Fri, 31 Dec 1999 23:59:50 GMT");
  expect(retryAfterMs(asking("Fri, 31 Dec 1999 23:59:59 GMT"), nowMs)).toBe(9000);
  expect(retryAfterMs(asking("Fri, 31 Dec 1998 23:59:59 GMT"), nowMs)).toBe(0);
});

test("retryAfterMs is undefined without the header, or where it says nothing", () => {
  expect(retryAfterMs(new Response(null))).toBeUndefined();
  expect(retryAfterMs(asking("soon"))).toBeUndefined();
});
