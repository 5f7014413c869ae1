import { InferenceError } from "@nearside/core";
import { expect, test } from "vitest";
import { connectSession } from "./connect-session.ts";

const server = "http://models.test";
const tensor = { datatype: "FP32", shape: [-1] };
const metadata = { backend: "cpu", inputs: [{ name: "x", ...tensor }], outputs: [{ name: "y", ...tensor }] };
const x = { dtype: "float32", shape: [1], data: Float32Array.of(1) } as const;

/** A body that ends before it is whole. */
const cutBody = () =>
  new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"outputs":'));
      controller.error(new TypeError("network error"));
    },
  });

async function failure(promise: Promise<unknown>): Promise<InferenceError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof InferenceError) return error;
  throw new Error(`expected an InferenceError, got ${error}`);
}

const connect = (answer: () => Response) => connectSession(server, "m", { fetch: async () => answer() });

async function run(answer: () => Response): Promise<unknown> {
  const answers = [() => Response.json(metadata), answer];
  const session = await connectSession(server, "m", { fetch: async () => (answers.shift() as () => Response)() });
  return session.run({ x });
}

test("connectSession says what answers where that is no server of models", async () => {
  for (const text of ["<!doctype html>", "[1]", ""]) {
    const error = await failure(connect(() => new Response(text)));
    expect(error.code).toBe("unsupported");
    expect(error.message).toMatch(/^http:\/\/models\.test\/v2\/models\/m: expected model metadata .*Nearside server/);
  }
});

test("a run's reply that can't be read is the server's fault, not the caller's", async () => {
  const header = "inference-header-content-length";
  for (const reply of [
    () => new Response("<!doctype html>"),
    () => new Response(JSON.stringify({ outputs: [] })),
    () => new Response("{}", { headers: { [header]: "2" } }),
    () => new Response("{}", { headers: { [header]: "9" } }),
  ]) {
    const error = await failure(run(reply));
    expect(error.code).toBe("data-loss");
    expect(error.message).toMatch(/^http:\/\/models\.test\/v2\/models\/m\/infer: expected /);
  }
});

test("a reply that is cut short is unavailable, as what can't be reached is", async () => {
  expect((await failure(connect(() => new Response(cutBody())))).code).toBe("unavailable");
  expect((await failure(run(() => new Response(cutBody())))).code).toBe("unavailable");
  expect((await failure(run(() => new Response(cutBody(), { status: 502 })))).code).toBe("unavailable");
});

test("an error that isn't ours has the code of its status", async () => {
  for (const [status, code] of [
    [400, "invalid-argument"],
    [404, "not-found"],
    [500, "internal"],
    [502, "unavailable"],
    [503, "unavailable"],
  ] as const) {
    expect((await failure(run(() => new Response("<h1>No</h1>", { status })))).code).toBe(code);
  }
});
