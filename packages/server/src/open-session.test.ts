import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { sessionSuite } from "@nearside/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeDoublingModel } from "../testing/doubling-model.ts";
import { openSession } from "./open-session.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-open-session-"));
  await writeDoublingModel(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const golden = {
  inputs: { x: { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } },
  outputs: { y: { dtype: "float32", shape: [2, 2], data: Float32Array.of(2, 4, 6, 8) } },
} as const;

describe.each(["wasm", "cpu"] as const)("openSession on %s", (backend) => {
  test.each(sessionSuite)("$name", async ({ run }) => {
    await run(() => openSession(folder, { backend }), golden);
  });
});

describe("openSession", () => {
  test("opens a file: URL", async () => {
    await using session = await openSession(pathToFileURL(folder));
    expect(session.backend).toBe("wasm");
  });

  test("shares the backend of the process between sessions", async () => {
    const first = await openSession(folder);
    await using second = await openSession(folder);
    await first.close();
    expect(await second.run(golden.inputs)).toEqual(golden.outputs);
  });

  test("refuses a second backend while the first is in use", async () => {
    await using _session = await openSession(folder, { backend: "wasm" });
    await expect(openSession(folder, { backend: "cpu" })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining('this process runs on "wasm"'),
    });
  });

  test("rejects a folder without a model", async () => {
    await expect(openSession(tmpdir())).rejects.toMatchObject({ code: "not-found" });
  });

  test("rejects with the signal's reason when it is already aborted", async () => {
    const reason = new Error("not needed any more");
    await expect(openSession(folder, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
