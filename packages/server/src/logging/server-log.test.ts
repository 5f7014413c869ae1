import { InferenceError } from "@nearside/core";
import { describe, expect, test } from "vitest";
import type { FinishedCall } from "../monitoring/finished-call.ts";
import { createServerLog, type LogOptions } from "./server-log.ts";

/** A log, and what it has written. */
function logOf(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line.trimEnd()) };
  const all = { format: "json", level: "info", requestRate: 1, requestHeaders: [], ...options } as const;
  return { lines, log: createServerLog(all, destination) };
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function callOf(fields: Partial<FinishedCall> = {}): FinishedCall {
  const headers = new Map([
    ["authorization", "Bearer s3cret"],
    ["user-agent", "curl"],
    ["traceparent", traceparent],
  ]);
  return {
    ...{ entrypoint: "REST", api: "Predict", model: "m", path: "POST /v1/models/m:predict", status: "OK", code: 200 },
    ...{ startMs: 1, durationMs: 2.3456, client: "shop", address: "10.0.0.1", header: (name) => headers.get(name) },
    ...fields,
  };
}

describe("a server's log", () => {
  test("tells events as JSON, with levels", () => {
    const { lines, log } = logOf();
    log.onEvent({ type: "loading", model: "m", version: 2n ** 60n });
    log.onEvent({ type: "process", model: "m", backend: "wasm", pid: 7 });
    log.onEvent({ type: "failed", model: "m", version: 3n, error: new InferenceError("data-loss", "broken") });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: "info", event: "loading", model: "m", version: "1152921504606846976" }),
      expect.objectContaining({ event: "process", pid: process.pid, backendPid: 7 }),
      expect.objectContaining({ level: "error", error: { code: "data-loss", message: "broken" } }),
    ]);
  });

  test("tells events as text", () => {
    const { lines, log } = logOf({ format: "text" });
    log.onEvent({ type: "unloaded", model: "m", version: 3n });
    log.onCall(callOf());
    log.warn("careful");
    expect(lines).toEqual(["m: version 3 is unloaded", "POST /v1/models/m:predict 200 2.35 ms", "careful"]);
  });

  test("tells of a request who, what, how long, and its trace", () => {
    const { lines, log } = logOf();
    log.onCall(callOf());
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      ...{
        event: "request",
        entrypoint: "REST",
        api: "Predict",
        model: "m",
        status: "OK",
        code: 200,
        durationMs: 2.35,
      },
      ...{ client: "shop", address: "10.0.0.1", traceId: "0af7651916cd43dd8448eb211c80319c" },
    });
  });

  test("has no secrets, even where their headers are asked for", () => {
    const { lines, log } = logOf({ requestHeaders: ["authorization", "user-agent", "cookie"] });
    log.onCall(callOf());
    expect(lines.join()).not.toContain("s3cret");
    expect(JSON.parse(lines[0] as string).headers).toEqual({ authorization: "[redacted]", "user-agent": "curl" });
  });

  test("tells of so many requests, and of each that the server is at fault for", () => {
    const { lines, log } = logOf({ requestRate: 0.25 });
    for (let count = 0; count < 100; count++) log.onCall(callOf());
    expect(lines).toHaveLength(25);
    for (let count = 0; count < 3; count++) log.onCall(callOf({ status: "UNAVAILABLE", code: 503 }));
    log.onCall(callOf({ api: null, model: null, path: "GET /readyz", status: "UNAVAILABLE", code: 503 })); // a probe
    expect(lines.filter((line) => JSON.parse(line).level === "error")).toHaveLength(3);
  });

  test("leaves out what is less important than its level", () => {
    const { lines, log } = logOf({ level: "warn" });
    log.info("hello");
    log.onCall(callOf());
    log.warn("careful");
    expect(lines).toHaveLength(1);
  });
});
