import { InferenceError } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { retry } from "./retry.ts";

/** Attempts that fail with these errors, one after the other, and then succeed; and the waits between them. */
function failing(...errors: readonly InferenceError[]) {
  const asked: string[] = [];
  const waits: number[] = [];
  const attempt = async (address: string) => {
    asked.push(address);
    const error = errors[asked.length - 1];
    if (error) throw error;
    return "got it";
  };
  const options = { wait: async (ms: number) => void waits.push(ms), random: () => 1 };
  return { asked, waits, attempt, options };
}

const away = (retryAfterMs?: number) => new InferenceError("unavailable", "away", { retryAfterMs });
const missing = new InferenceError("not-found", "missing");

describe("retry", () => {
  test("asks again after delays that double", async () => {
    const { asked, waits, attempt, options } = failing(away(), away(), away());
    expect(await retry(["a"], attempt, options)).toBe("got it");
    expect(asked).toEqual(["a", "a", "a", "a"]);
    expect(waits).toEqual([250, 500, 1000]);
  });

  test("asks all addresses before it waits, and those that have nothing no more", async () => {
    const { asked, waits, attempt, options } = failing(away(), missing);
    expect(await retry(["a", "b"], attempt, options)).toBe("got it");
    expect(asked).toEqual(["a", "b", "a"]);
    expect(waits).toEqual([250]);
  });

  test("waits for what the first address asks for, and asks none again that wants more than a minute", async () => {
    const { asked, waits, attempt, options } = failing(away(3000), away(61_000));
    expect(await retry(["a", "b"], attempt, options)).toBe("got it");
    expect(asked).toEqual(["a", "b", "a"]);
    expect(waits).toEqual([3000]);
  });

  test("gives up after five rounds, or at once where nothing may change", async () => {
    const { asked, attempt, options } = failing(...Array.from({ length: 9 }, () => away()));
    await expect(retry(["a"], attempt, options)).rejects.toMatchObject({ code: "unavailable" });
    expect(asked).toHaveLength(5);
    await expect(retry(["a"], failing(missing).attempt)).rejects.toBe(missing);
  });

  test("has all its rounds again when something has come", async () => {
    let bytes = 0;
    const { asked, waits, attempt, options } = failing(...Array.from({ length: 12 }, () => away()));
    const progress = () => bytes;
    const some = (address: string) => {
      if (asked.length % 4 === 3) bytes++;
      return attempt(address);
    };
    expect(await retry(["a"], some, { ...options, progress })).toBe("got it");
    expect(Math.max(...waits)).toBe(2000);
  });

  test("rejects with the signal's reason while it waits", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = retry(["a"], failing(away()).attempt, { signal: controller.signal });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
