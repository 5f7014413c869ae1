import { expect, test } from "vitest";
import { stallLimit } from "./stall-limit.ts";

const aborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));

test("stallLimit aborts when nothing came for so long, with an error after which it is tried again", async () => {
  const limit = stallLimit(undefined, 10);
  limit.extend();
  expect(await aborted(limit.signal)).toMatchObject({ code: "unavailable" });
});

test("stallLimit aborts with the caller's reason", async () => {
  const controller = new AbortController();
  const { signal, end } = stallLimit(controller.signal);
  const reason = aborted(signal);
  controller.abort("enough");
  expect(await reason).toBe("enough");
  end();
});
