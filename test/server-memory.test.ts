import { once } from "node:events";
import { rename } from "node:fs/promises";
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openSession } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

/**
 * What a server keeps of what is over: cases D1 to D4 of the acceptance list, in short. `npm run bench -- server-memory`
 * runs them at length and prints the curve.
 */
setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc") as () => void;

let server: Awaited<ReturnType<typeof serverOfFakes>>;

beforeAll(async () => {
  const m = echoSession({ x: { dtype: "float32", shape: [null] } });
  server = await serverOfFakes({ m }, { openModel: (_model, { path }) => openSession(path) });
});
afterAll(() => server.close());

/** The least that the heap grows from a round to the next, after the first: what is kept is kept of each round. */
async function growthBytes(round: () => Promise<void>): Promise<number> {
  const growths: number[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 4; count++) {
    await round();
    collect();
    const after = process.memoryUsage().heapUsed;
    growths.push(after - before);
    before = after;
  }
  return Math.min(...growths.slice(1)); // other growth comes and goes: code that is compiled, caches that fill
}

const predict = async () => {
  const body = JSON.stringify({ inputs: Array.from({ length: 100 }, () => [1, 2]) });
  const response = await fetch(`${server.url}/v1/models/m:predict`, { method: "POST", body });
  expect([response.status, (await response.text()).length]).toEqual([200, expect.any(Number)]);
};

const goAway = async () => {
  const { port } = new URL(server.url as string);
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(`POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${"1".repeat(10_000)}`);
  socket.destroy();
};

const sendNonsense = async () => {
  const response = await fetch(`${server.url}/v1/models/m:predict`, { method: "POST", body: '{"inputs": [[1, ' });
  expect([response.status, (await response.text()).length]).toEqual([400, expect.any(Number)]);
};

describe("a server keeps nothing", () => {
  test("D1 of requests that are answered", async () => {
    const growth = await growthBytes(async () => {
      for (let count = 0; count < 500; count++) await predict();
    });
    expect(growth).toBeLessThan(500 * 1000); // a request's body has about 1000 bytes, and its answer more
  });

  test("D2 of versions that are unloaded, in 100 reloads", async () => {
    const models = [{ name: "m", basePath: `${server.folder}/m` }];
    const tensors = async () => {
      const loaded = server.repository.find({ name: "m" });
      return (await loaded.signatures.get("serving_default")?.session.memory())?.tensors;
    };
    const before = await tensors();
    const growth = await growthBytes(async () => {
      for (let count = 0; count < 33; count++) {
        await server.repository.reload([]);
        await server.repository.reload(models);
      }
    });
    expect(await tensors()).toBe(before);
    expect(growth).toBeLessThan(33 * 50_000); // a session with its plan is more
  });

  test("D3 of clients that go away in the middle of a request", async () => {
    const growth = await growthBytes(async () => {
      for (let count = 0; count < 200; count++) await goAway();
      await predict(); // by when the server has seen them go
    });
    expect(growth).toBeLessThan(200 * 5000);
  });

  test("D4 of all of this at once, with large JSON and versions that take each other's place, and fails no request", async () => {
    let version = 1;
    const large = JSON.stringify({ inputs: Array.from({ length: 20_000 }, () => [1, 2]) }); // by a thread
    const growth = await growthBytes(async () => {
      const clients = Array.from({ length: 4 }, async () => {
        for (let count = 0; count < 20; count++) for (const send of [predict, goAway, sendNonsense]) await send();
      });
      const swaps = async () => {
        for (let count = 0; count < 3; count++) {
          await rename(`${server.folder}/m/${version}`, `${server.folder}/m/${version + 1}`);
          version++;
          await server.repository.poll();
        }
      };
      const response = fetch(`${server.url}/v1/models/m:predict`, { method: "POST", body: large });
      await Promise.all([...clients, swaps(), response.then((answer) => answer.arrayBuffer())]);
      expect((await response).status).toBe(200);
    });
    expect(growth).toBeLessThan(4 * 20 * (1000 + 5000) + 3 * 50_000); // what each of them may, above
  });
});
