import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Session } from "@nearside/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const x = { dtype: "float32", shape: [null] } as const;

async function serve(...given: Parameters<typeof serverOfFakes>) {
  const server = await serverOfFakes(...given);
  onTestFinished(() => server.close());
  const post = async (path: string, body: string) => {
    const response = await fetch(`${server.url}/${path}`, { method: "POST", body });
    return { status: response.status, text: await response.text() };
  };
  return { ...server, post };
}

describe("A4 NaN and infinities in JSON answers", () => {
  const infer = '{"inputs": [{"name": "x", "datatype": "FP32", "shape": [3], "data": [NaN, Infinity, -Infinity]}]}';

  test("are the words that TensorFlow Serving writes", async () => {
    const { post } = await serve({ m: echoSession({ x }) });
    const { text } = await post("v1/models/m:predict", '{"inputs": [NaN, Infinity, -Infinity, 1]}');
    expect(text).toContain("[NaN, Infinity, -Infinity, 1.0]");
  });

  test("are null where valid JSON is asked for, in both APIs", async () => {
    const { post } = await serve({ m: echoSession({ x }) }, { nonFiniteAsNull: true });
    const v1 = await post("v1/models/m:predict", '{"instances": [NaN, Infinity, -Infinity, 1]}');
    expect(JSON.parse(v1.text)).toEqual({ predictions: [null, null, null, 1] });
    const v2 = await post("v2/models/m/infer", infer);
    expect(JSON.parse(v2.text).outputs).toMatchObject([{ data: [null, null, null] }]);
    const large = await post("v1/models/m:predict", `{"inputs": [${"NaN,".repeat(30_000)}1]}`); // by a thread
    expect(JSON.parse(large.text).outputs.slice(-2)).toEqual([null, 1]);
  });
});

describe.skipIf(process.platform === "win32")("a Unix socket for gRPC", () => {
  test("answers beside the port, also where a former server has left its socket", async () => {
    const former = await serve({ m: echoSession({ x }) });
    const grpcSocketPath = join(former.folder, "grpc.sock");
    const left = createServer().listen(grpcSocketPath);
    await once(left, "listening");
    onTestFinished(() => void left.close());
    const server = await serve({ m: echoSession({ x }) }, { grpcSocketPath });
    for (const address of [`unix:${grpcSocketPath}`, server.grpcAddress as string]) {
      const client = grpcClient(address);
      const { code, response } = await client.call("inference.GRPCInferenceService", "ServerLive", {});
      expect([code, response.live]).toEqual([0, true]);
      client.close();
    }
  });

  test("does not take the place of a file that is no socket", async () => {
    const { folder } = await serve({ m: echoSession({ x }) });
    const grpcSocketPath = join(folder, "notes.txt");
    await writeFile(grpcSocketPath, "keep");
    await expect(serve({ m: echoSession({ x }) }, { grpcSocketPath })).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("batching parameters in a version's folder", () => {
  const reload = async (server: Awaited<ReturnType<typeof serve>>) => {
    await server.repository.unloadModel("m");
    await server.repository.loadModel("m");
  };
  const two = '{"instances": [1, 2]}';

  test("take the place of the server's, for this version", async () => {
    const options = { batching: { maxBatchSize: 8 }, batchingPerVersion: true };
    const server = await serve({ m: echoSession({ x }), other: echoSession({ x }) }, options);
    expect((await server.post("v1/models/m:predict", two)).status).toBe(200);
    await writeFile(join(server.folder, "m/1/batching_params.pbtxt"), "max_batch_size { value: 1 }");
    await reload(server);
    const refused = await server.post("v1/models/m:predict", two);
    expect(refused).toMatchObject({ status: 400, text: expect.stringContaining("at most 1 rows, got 2") });
    expect((await server.post("v1/models/other:predict", two)).status).toBe(200);
  });

  test("that make no sense fail the version, and say so", async () => {
    const server = await serve({ m: echoSession({ x }) }, { batching: {}, batchingPerVersion: true });
    await writeFile(join(server.folder, "m/1/batching_params.pbtxt"), "max_batch_size { value: 0 }");
    await expect(reload(server)).rejects.toMatchObject({ code: "invalid-argument", message: /max_batch_size/ });
  });

  test("are left alone unless they are asked for", async () => {
    const server = await serve({ m: echoSession({ x }) }, { batching: {} });
    await writeFile(join(server.folder, "m/1/batching_params.pbtxt"), "max_batch_size { value: 1 }");
    await reload(server);
    expect((await server.post("v1/models/m:predict", two)).status).toBe(200);
  });

  test("whose session can't be made close what was opened", async () => {
    let isClosed = false;
    const m: Session = {
      ...echoSession({ x }),
      close: async () => {
        isClosed = true;
      },
    };
    const server = await serve({ m }, { batching: {}, batchingPerVersion: true });
    await writeFile(join(server.folder, "m/1/batching_params.pbtxt"), "no parameters");
    await server.repository.unloadModel("m");
    isClosed = false;
    await expect(server.repository.loadModel("m")).rejects.toMatchObject({ code: "invalid-argument" });
    expect(isClosed).toBe(true);
  });
});
