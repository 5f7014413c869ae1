import { InferenceError } from "@nearside/core";

/** What V8, SpiderMonkey and JavaScriptCore say when an array buffer can't be had; lengths beyond 2³³ are no mistake. */
const allocationFailure = /allocation failed|allocation size overflow|out of memory|too large|array length: \d{10}/i;

/** What was thrown; or, if memory was what it lacked, an error with the code `out-of-memory` that it is the cause of. */
export function asOutOfMemory(thrown: unknown): unknown {
  const failure = causesOf(thrown).find(
    (cause) => cause instanceof RangeError && allocationFailure.test(cause.message),
  );
  if (!failure) return thrown;
  const message = `there is no memory for it: ${(failure as RangeError).message}; run smaller inputs`;
  return new InferenceError("out-of-memory", message, { cause: thrown });
}

/** What was thrown, what caused that, and so on. */
export function causesOf(thrown: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let cause = thrown; cause !== undefined && !causes.includes(cause); ) {
    causes.push(cause);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}
