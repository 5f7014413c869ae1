import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import type { Session } from "@nearside/core";
import { expectClose, type GoldenRun, sessionSuite } from "@nearside/core/testing";
import { createServer, openSession, type ServerBackend, type ServerEvent, tensorflowDir } from "@nearside/server";
import { connectSession } from "nearside";
import { afterAll, beforeAll, beforeEach, describe, expect, type TestContext, test, vi } from "vitest";
import { writeUnconvertibleModel } from "../packages/server/testing/unconvertible-model.ts";
import { firstCutFixtures, fixturesRoot, readGolden } from "./fixtures.ts";
import { readExample } from "./models.ts";

const isSetUp = existsSync(tensorflowDir());
const noTensorflow = "TensorFlow is not set up: npx nearside-server setup-tensorflow";

function skipWithoutTensorflow({ skip }: TestContext): void {
  if (!isSetUp) skip(noTensorflow);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-tensorflow-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Serves one model, in TensorFlow unless told otherwise, and opens a session to it. */
async function serve(basePath: string, backend: ServerBackend = "tensorflow") {
  const events: ServerEvent[] = [];
  const server = createServer({
    models: [{ name: "m", basePath }],
    host: "127.0.0.1",
    restPort: 0,
    backend,
    cacheDir: join(folder, "cache"),
    onEvent: (event) => events.push(event),
  });
  await server.listen();
  return { server, events, open: (): Promise<Session> => connectSession(server.url as string, "m") };
}

describe("a SavedModel in TensorFlow, as it is", () => {
  let served: Awaited<ReturnType<typeof serve>>;
  let golden: GoldenRun;
  beforeEach(skipWithoutTensorflow);
  beforeAll(async () => {
    if (!isSetUp) return;
    const { savedModel, golden: cases } = await readExample("digits");
    golden = cases[0] as GoldenRun; // there is more than none
    served = await serve(savedModel);
  });
  afterAll(() => served?.server.close());

  test.each(sessionSuite)("$name", ({ run }) => run(served.open, golden));

  test("says that it runs there", async () => {
    expect((await served.open()).backend).toBe("tensorflow");
    expect(served.events).toContainEqual(expect.objectContaining({ type: "available", backend: "tensorflow" }));
  });
});

describe("a SavedModel in TensorFlow, in this process", () => {
  beforeEach(skipWithoutTensorflow);
  test.each(sessionSuite)("$name", async ({ run }) => {
    const { savedModel, golden } = await readExample("digits");
    await run(() => openSession(savedModel, { backend: "tensorflow" }), golden[0] as GoldenRun); // there is more than none
  });

  test("is none when its caller takes that back while it is opened", async () => {
    const { savedModel } = await readExample("digits");
    const controller = new AbortController();
    const opening = openSession(savedModel, { backend: "tensorflow", signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
  });

  test("needs no conversion", async () => {
    const path = join(folder, "here");
    await writeUnconvertibleModel(path);
    await using session = await openSession(path, { backend: "tensorflow", cacheDir: join(folder, "no", "cache") });
    const { y } = await session.run({ x: { dtype: "int64", shape: [1], data: BigInt64Array.of(2n) } });
    expect([session.backend, y?.data]).toEqual(["tensorflow", BigInt64Array.of(1099511627778n)]);
    await expect(openSession(path, { backend: "cpu" })).rejects.toMatchObject({ code: "unsupported" });
  });
});

describe("a graph model in TensorFlow, op by op", () => {
  let served: Awaited<ReturnType<typeof serve>>;
  let golden: GoldenRun;
  beforeEach(skipWithoutTensorflow);
  beforeAll(async () => {
    if (!isSetUp) return;
    const { savedModel, golden: cases } = await readExample("digits");
    golden = cases[0] as GoldenRun; // there is more than none
    await convert(readDirectory(savedModel), writeDirectory(join(folder, "digits")));
    served = await serve(join(folder, "digits"));
  });
  afterAll(() => served?.server.close());

  test.each(sessionSuite)("$name", ({ run }) => run(served.open, golden));
});

describe("a fixture in TensorFlow, as it is", () => {
  beforeEach(skipWithoutTensorflow);
  const models = [...firstCutFixtures, "made/mobilenet_v2", "made/hashtable_file", "made/text_vectorization"];
  test.for(models)("%s", async (name, ctx) => {
    if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    const fixture = join(fixturesRoot, name);
    const cases = await readGolden(fixture, "serving_default");
    expect(cases.length).toBeGreaterThan(0);
    const { server, events, open } = await serve(join(fixture, "saved_model"));
    try {
      expect(events.at(-1)).toMatchObject({ type: "available" });
      await using session = await open();
      for (const { inputs, outputs } of cases) expectClose(await session.run(inputs), outputs);
    } finally {
      await server.close();
    }
  });
});

describe("a SavedModel that can't be converted", () => {
  const place = () => join(folder, "unconvertible", "1");
  beforeAll(() => writeUnconvertibleModel(place()));

  test("runs in TensorFlow as it is", async (ctx) => {
    skipWithoutTensorflow(ctx);
    const { server, events, open } = await serve(join(folder, "unconvertible"));
    try {
      expect(events).toContainEqual(expect.objectContaining({ type: "available", backend: "tensorflow" }));
      await using session = await open();
      expect(session.signature).toEqual({
        inputs: { x: { dtype: "int64", shape: [null] } },
        outputs: { y: { dtype: "int64", shape: [null] } },
      });
      const { y } = await session.run({ x: { dtype: "int64", shape: [2], data: BigInt64Array.of(1n, -1n) } });
      expect(y).toEqual({ dtype: "int64", shape: [2], data: BigInt64Array.of(1099511627777n, 1099511627775n) });
      const files = await fetch(`${server.url}/models/m/model.json`);
      expect([files.status, await files.text()]).toEqual([404, expect.stringContaining("runs on the server only")]);
    } finally {
      await server.close();
    }
  });

  test("runs again when it died and its folder was renamed", async (ctx) => {
    skipWithoutTensorflow(ctx);
    if (process.platform !== "linux") return ctx.skip("only Linux holds a folder");
    const { server, events, open } = await serve(join(folder, "unconvertible"));
    try {
      await rename(place(), join(folder, "renamed"));
      const started = events.find(({ type }) => type === "process") as Extract<ServerEvent, { type: "process" }>;
      process.kill(started.pid, "SIGKILL");
      await vi.waitFor(() => expect(events.at(-1)?.type).toBe("restarted"), { timeout: 60_000 });
      await using session = await open();
      const { y } = await session.run({ x: { dtype: "int64", shape: [1], data: BigInt64Array.of(1n) } });
      expect(y?.data).toEqual(BigInt64Array.of(1099511627777n));
    } finally {
      await server.close();
      await rename(join(folder, "renamed"), place());
    }
  });

  test.each(["wasm", "tensorflow"] as const)(
    "says on %s what would serve it, where TensorFlow isn't set up",
    async (backend) => {
      const set = process.env.NEARSIDE_TENSORFLOW;
      process.env.NEARSIDE_TENSORFLOW = join(folder, "nowhere");
      const { server, events } = await serve(join(folder, "unconvertible"), backend);
      if (set === undefined) delete process.env.NEARSIDE_TENSORFLOW;
      else process.env.NEARSIDE_TENSORFLOW = set;
      await server.close();
      const failed = events.find(({ type }) => type === "failed") as Extract<ServerEvent, { type: "failed" }>;
      expect(failed.error).toMatchObject({
        code: "unsupported",
        message: expect.stringMatching(/1099511627776, which int32 can't hold.*npx nearside-server setup-tensorflow/s),
      });
    },
  );

  test("made/dtypes is refused with both reasons, since it takes what the addon lacks", async (ctx) => {
    skipWithoutTensorflow(ctx);
    if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    const { server, events } = await serve(join(fixturesRoot, "made/dtypes/saved_model"));
    await server.close();
    const failed = events.find(({ type }) => type === "failed") as Extract<ServerEvent, { type: "failed" }>;
    expect(failed.error.code).toBe("unsupported");
    expect(failed.error.message).toMatch(/int32 can't hold.*; and as it is: backend "tensorflow" cannot run this: /s);
  });

  test("made/int64_math", async (ctx) => {
    skipWithoutTensorflow(ctx);
    if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    const fixture = join(fixturesRoot, "made/int64_math");
    const { server, events, open } = await serve(join(fixture, "saved_model"));
    try {
      expect(events.at(-1)).toMatchObject({ type: "available" });
      await using session = await open();
      const cases = await readGolden(fixture, "serving_default");
      expect(cases.length).toBeGreaterThan(0);
      for (const { inputs, outputs } of cases) expectClose(await session.run(inputs), outputs);
    } finally {
      await server.close();
    }
  });
});

describe("nearside-server setup-tensorflow", () => {
  const command = fileURLToPath(new URL("../packages/server/bin/nearside-server.js", import.meta.url));
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [command, "setup-tensorflow", ...args]);

  test("says where it looks, and where it puts what it builds", async () => {
    expect((await run("--help")).stdout).toContain("--python=PATH");
  });

  test("says what to do about a Python without TensorFlow, and leaves what is there", async () => {
    await expect(run("--python=/no/such/python")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\/no\/such\/python has no TensorFlow: pip install tensorflow/),
    });
    expect(existsSync(tensorflowDir())).toBe(isSetUp);
  });
});
