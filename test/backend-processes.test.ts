import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectClose, sessionSuite } from "@nearside/core/testing";
import { createServer, type InferenceServer, type ServerEvent, type ServerOptions } from "@nearside/server";
import { connectSession } from "nearside";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeDoublingModel } from "../packages/server/testing/doubling-model.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-processes-"));
  for (const name of ["double", "other"]) await writeDoublingModel(join(folder, name, "1"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A server of the models, and what it tells. */
async function serve(options: Partial<ServerOptions> = {}, names = ["double"]) {
  const events: ServerEvent[] = [];
  const watchers = new Set<() => void>();
  const models = names.map((name) => ({ name, basePath: join(folder, name) }));
  const onEvent = (event: ServerEvent) => {
    events.push(event);
    for (const look of watchers) look();
  };
  const common = { models, host: "127.0.0.1", restPort: 0, backend: "wasm", onEvent } as const;
  const server = createServer({ ...common, ...options });
  await server.listen();
  /** Resolves once so many events of this type were told. */
  const told = (type: ServerEvent["type"], count = 1) =>
    new Promise<void>((resolve) => {
      const look = () => events.filter((event) => event.type === type).length >= count && resolve();
      watchers.add(look);
      look();
    });
  return { server, events, told };
}

/** The processes that this one has started and that run a model. */
async function backendPids(): Promise<number[]> {
  const children = (await readFile(`/proc/self/task/${process.pid}/children`, "utf8")).trim().split(" ");
  const commands = children.map(async (pid) => [
    Number(pid),
    await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
  ]);
  const all = (await Promise.all(commands)) as [number, string][];
  return all
    .filter(([, command]) => command.includes("backend-process") && command.includes(folder))
    .map(([pid]) => pid);
}

const rows = (count: number) => ({
  x: { dtype: "float32", shape: [count, 2], data: new Float32Array(count * 2).fill(3) } as const,
});
const doubled = (count: number) => ({
  y: { dtype: "float32", shape: [count, 2], data: new Float32Array(count * 2).fill(6) } as const,
});

async function infer(server: InferenceServer, count = 1) {
  await using session = await connectSession(server.url as string, "double");
  return session.run(rows(count));
}

async function predict({ url }: InferenceServer, name = "double") {
  const response = await fetch(`${url}/v1/models/${name}:predict`, { method: "POST", body: '{"inputs": [[1, 2]]}' });
  return { status: response.status, retryAfter: response.headers.get("retry-after"), text: await response.text() };
}

describe("a model in a process of its own", () => {
  test("gives each of many runs at a time its own large results, however large the next ones are", async () => {
    const { server } = await serve();
    await using session = await connectSession(server.url as string, "double");
    const counts = [1, 5000, 300, 20_000, 5000, 2];
    for (let round = 0; round < 2; round++) {
      const outputs = await Promise.all(
        counts.map((count) =>
          session.run({ x: { dtype: "float32", shape: [count, 2], data: new Float32Array(count * 2).fill(count) } }),
        ),
      );
      for (const [index, count] of counts.entries()) {
        const y = outputs[index]?.y;
        expect(y?.shape).toEqual([count, 2]);
        expect(new Set(y?.data as Float32Array)).toEqual(new Set([2 * count]));
      }
    }
    await server.close();
  });

  describe.each([
    ["one instance", {}],
    [
      "two instances that gather batches",
      { instanceCount: 2, batching: { maxBatchSize: 8, allowedBatchSizes: [2, 8] } },
    ],
  ] as const)("with %s", (_what, options) => {
    let server: InferenceServer;
    beforeAll(async () => {
      ({ server } = await serve(options));
    });
    afterAll(() => server.close());
    test.each(sessionSuite)("$name", async ({ run }) => {
      await run(() => connectSession(server.url as string, "double"), { inputs: rows(2), outputs: doubled(2) });
    });
  });

  test("is what instance_count says, and ends with the server", async () => {
    const { server } = await serve({ instanceCount: 2 });
    expect(await backendPids()).toHaveLength(2);
    await server.close();
    expect(await backendPids()).toEqual([]);
  });

  test("that is killed fails the runs in flight with 503, and runs the next ones", async () => {
    const { server, events, told } = await serve();
    try {
      const [pid] = (await backendPids()) as [number];
      process.kill(pid, "SIGSTOP"); // so that the run is in flight for sure
      const inFlight = predict(server);
      await fetch(`${server.url}/v2`); // which is answered after the server has read what came before
      process.kill(pid, "SIGKILL");
      expect(await inFlight).toMatchObject({ status: 503, retryAfter: "1", text: expect.stringContaining("SIGKILL") });
      const startMs = performance.now();
      expect(await predict(server)).toMatchObject({ status: 200, text: expect.stringContaining("[2.0, 4.0]") });
      expect(performance.now() - startMs).toBeLessThan(5000); // what the server promises
      await told("restarted");
      expect(events.filter(({ type }) => type === "lost" || type === "restarted")).toEqual([
        { type: "lost", model: "double", backend: "wasm", error: expect.objectContaining({ code: "device-lost" }) },
        { type: "restarted", model: "double", backend: "wasm", afterMs: expect.any(Number) },
      ]);
    } finally {
      await server.close();
    }
  });

  test("that is killed leaves the other models and instances running", async () => {
    const { server, told } = await serve({ instanceCount: 2 }, ["double", "other"]);
    try {
      const pids = await backendPids();
      expect(pids).toHaveLength(4);
      process.kill(pids[0] as number, "SIGKILL");
      await told("lost");
      const answers = await Promise.all(["double", "other", "double", "other"].map((name) => predict(server, name)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    } finally {
      await server.close();
    }
  });

  test.skipIf(process.platform !== "linux").each([
    ["", async () => {}],
    [", also where another has its name", (path: string) => mkdir(path)],
  ])("that is killed runs again when its folder was renamed%s", async (_what, replace) => {
    const path = join(folder, "double", "1");
    const { server, told } = await serve({ pollMs: 0 });
    try {
      const [pid] = (await backendPids()) as [number];
      await rename(path, join(folder, "renamed"));
      await replace(path);
      process.kill(pid, "SIGKILL");
      await told("restarted");
      expectClose(await infer(server), doubled(1));
    } finally {
      await server.close();
      await rm(path, { recursive: true, force: true });
      await rename(join(folder, "renamed"), path);
    }
  });

  test("that holds more memory than it may is ended, and started again", async () => {
    const memoryLimitBytes = 250 * 2 ** 20; // without runs it holds 90 MiB
    const { server, told } = await serve({ memoryLimitBytes, maxBodyBytes: 2 ** 30 });
    try {
      await expect(infer(server, 15_000_000)).rejects.toMatchObject({ code: "out-of-memory" });
      await told("restarted");
      expectClose(await infer(server), doubled(1));
    } finally {
      await server.close();
    }
  });

  test("that may hold less than it needs to start is reported", async () => {
    const { server, events } = await serve({ memoryLimitBytes: 2 ** 20 });
    await server.close();
    expect(events).toContainEqual(
      expect.objectContaining({ type: "failed", error: expect.objectContaining({ code: "no-backend" }) }),
    );
  });

  test("C13 is no slower for what another model has to do", async () => {
    const { server } = await serve({}, ["double", "other"]);
    try {
      const flood = Promise.all(Array.from({ length: 20 }, () => infer(server, 200_000)));
      const order: string[] = [];
      await Promise.all([
        flood.then(() => order.push("flood")),
        predict(server, "other").then(({ status }) => order.push(`other ${status}`)),
      ]);
      expect(order).toEqual(["other 200", "flood"]);
    } finally {
      await server.close();
    }
  });

  test("C6 answers 503 with Retry-After at once where the queue of batches is full", async () => {
    const { server } = await serve({ batching: { maxBatchSize: 1, maxEnqueuedBatches: 1 } });
    try {
      const [pid] = (await backendPids()) as [number];
      process.kill(pid, "SIGSTOP");
      const refused: unknown[] = [];
      let tellRefused = () => {};
      const eightRefused = new Promise<void>((resolve) => {
        tellRefused = resolve;
      });
      const answers = Array.from({ length: 10 }, async () => {
        const answer = await predict(server);
        if (answer.status === 503 && refused.push(answer) === 8) tellRefused();
        return answer;
      });
      await eightRefused; // while one run is in the process, and one waits
      expect(refused[0]).toMatchObject({ retryAfter: "1", text: expect.stringContaining("queue is full") });
      process.kill(pid, "SIGCONT");
      const statuses = (await Promise.all(answers)).map(({ status }) => status).sort();
      expect(statuses).toEqual([200, 200, ...Array(8).fill(503)]);
    } finally {
      await server.close();
    }
  });
});

test("a server chooses a backend that computes correctly, and says which and why", async () => {
  const { server, events } = await serve({ backend: "auto" });
  const { backend } = await connectSession(server.url as string, "double");
  await server.close();
  expect(events[0]).toEqual({ type: "backend", backend: expect.any(String), reason: expect.stringMatching(/webgpu/) });
  expect(events).toContainEqual(expect.objectContaining({ type: "available", backend }));
});
