import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "@nearside/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { JsonThreads, type JsonThreadsOptions } from "../packages/server/dist/json-threads/json-threads.js";
import { writeDoublingModel } from "../packages/server/testing/doubling-model.ts";

const signature = {
  inputs: { x: { dtype: "float32", shape: [null, 2] } },
  outputs: { y: { dtype: "float32", shape: [null, 2] } },
} as const;
const signatures = new Map([["serving_default", signature]]);

/** So many rows as JSON, and the numbers in them. */
function rows(count: number) {
  const data = Float32Array.from({ length: count * 2 }, (_, at) => at / 2);
  const text = `[${Array.from({ length: count }, (_, row) => `[${data[2 * row]},${data[2 * row + 1]}]`)}]`;
  return { data, text };
}

const bytesOf = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

function createThreads(options?: JsonThreadsOptions): JsonThreads {
  const threads = new JsonThreads(options);
  onTestFinished(() => threads.close());
  return threads;
}

function read(threads: JsonThreads, text: string) {
  const body = new TextEncoder().encode(text);
  return { body, reading: threads.run("readPredict", { body, signatures }, body.byteLength) };
}

describe("JSON that is large", () => {
  test("is read by another thread, to which its bytes go, and what is small is read here", async () => {
    const threads = createThreads();
    const large = read(threads, `{"inputs": ${rows(20_000).text}}`);
    const small = read(threads, `{"inputs": ${rows(2).text}}`);
    expect(large.body.byteLength).toBe(0); // a buffer that went to another thread has nothing left
    expect(small.body.byteLength).toBeGreaterThan(0);
    const { request } = await large.reading;
    expect(bytesOf(request?.inputs.x?.data as Float32Array).equals(bytesOf(rows(20_000).data))).toBe(true);
    expect((await small.reading).request?.inputs.x?.data).toEqual(rows(2).data);
  });

  test("is written by another thread as it is here", async () => {
    const threads = createThreads();
    const { data } = rows(20_000);
    const outputs = { y: { dtype: "float32", shape: [20_000, 2], data } } as const;
    const write = (jsonBytes: number) => threads.run("writePredict", { form: "row", outputs }, jsonBytes);
    const [there, here] = await Promise.all([write(1e6), write(0)]);
    expect(Buffer.compare(there, here)).toBe(0);
    expect(Buffer.isBuffer(here)).toBe(true);
    expect(Buffer.isBuffer(there)).toBe(false); // a Buffer that comes from another thread is a plain array
  });

  test("has the errors that it has here", async () => {
    const threads = createThreads();
    const spaces = " ".repeat(100_000);
    for (const text of ["{", '{"inputs": [[1, "a"]]}', "[]"]) {
      const small = await read(threads, text).reading.catch((error: unknown) => error);
      const large = await read(threads, text + spaces).reading.catch((error: unknown) => error);
      expect(small).toMatchObject({ name: "InferenceError", code: "invalid-argument" });
      if (text !== "{")
        expect(large).toEqual(small); // that error tells where the text ends
      else expect(large).toMatchObject({ name: "InferenceError", code: "invalid-argument" });
    }
  });

  test("that holds more than a thread may have fails alone", async () => {
    const threads = createThreads({ maxThreads: 1, resourceLimits: { maxOldGenerationSizeMb: 16 } });
    const texts = [`{"inputs": [${"[1,2],".repeat(1_000_000)}[1,2]]}`, `{"inputs": ${rows(5000).text}}`];
    const [huge, other] = texts.map((text) => read(threads, text).reading);
    await expect(huge).rejects.toMatchObject({ code: "out-of-memory" });
    await expect(other).resolves.toMatchObject({ name: "serving_default" });
  });

  test("rejects with closed when the threads are closed", async () => {
    const threads = new JsonThreads({ maxThreads: 1 });
    const all = [1, 2].map(() => expect(read(threads, `{"inputs": ${rows(20_000).text}}`).reading).rejects);
    await Promise.all([threads.close(), ...all.map((rejects) => rejects.toMatchObject({ code: "closed" }))]);
  });

  test("is answered by both APIs", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearside-json-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeDoublingModel(join(folder, "1"));
    const models = [{ name: "double", basePath: folder }];
    await using server = createServer({ models, host: "127.0.0.1", restPort: 0, backend: "wasm" });
    await server.listen();
    const post = async (path: string, body: string) => {
      const response = await fetch(`${server.url}/${path}`, { method: "POST", body });
      return { status: response.status, body: await response.json() };
    };
    const { data, text } = rows(20_000);
    const doubled = Array.from(data, (value) => value * 2);
    const v1 = await post("v1/models/double:predict", `{"instances": ${text}}`);
    expect(v1.status).toBe(200);
    expect(v1.body.predictions.flat()).toEqual(doubled);
    const input = { name: "x", datatype: "FP32", shape: [20_000, 2], data: Array.from(data) };
    const v2 = await post("v2/models/double/infer", JSON.stringify({ inputs: [input] }));
    expect(v2.status).toBe(200);
    expect(v2.body.outputs[0].data).toEqual(doubled);
    const missing = await post("v1/models/other:predict", `{"instances": ${text}}`);
    expect(missing).toEqual({ status: 404, body: { error: "Servable not found for request: Latest(other)" } });
  });
});
