import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { openProcessSession } from "./open-process-session.ts";
import { type SupervisionEvent, superviseSession } from "./supervised-session.ts";

const entry = fileURLToPath(new URL("../../testing/process-that-loses-its-device.mjs", import.meta.url));
const x = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } as const;

test("D5 a process that has lost its device is ended, and the model runs in another one", async () => {
  const parent = await mkdtemp(join(tmpdir(), "nearside-device-"));
  onTestFinished(() => rm(parent, { recursive: true }));
  const task = { backend: "webgpu", folder: join(parent, "started") } as const;
  const events: SupervisionEvent[] = [];
  const open = () => openProcessSession("m", { task, memoryLimitBytes: Number.POSITIVE_INFINITY, entry });
  await using session = await superviseSession(open, { onEvent: (event) => events.push(event) });
  const runs = await Promise.allSettled([session.run({ x }), session.run({ x })]);
  for (const run of runs) expect(run).toMatchObject({ status: "rejected", reason: { code: "device-lost" } }); // no zeros
  expect(await session.run({ x })).toEqual({ y: { ...x, data: Float32Array.of(2, 4) } });
  expect(events.map(({ type }) => type)).toEqual(["lost", "restarted"]);
  expect(events[0]).toMatchObject({ error: { message: expect.stringContaining("it was reset") } });
});
