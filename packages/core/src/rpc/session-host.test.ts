import { expect, test } from "vitest";
import { InferenceError } from "../errors.ts";
import type { Session } from "../session.ts";
import { stream } from "../stream.ts";
import type { Tensors } from "../tensor.ts";
import { openProxySession } from "./proxy-session.ts";
import { createSessionHost, hostTransport, type RemoteHost } from "./session-host.ts";

const x = { dtype: "float32", shape: [1], data: Float32Array.of(2) } as const;

/** A session that answers with its input, or as `run` says. */
function echoSession(run: Session["run"] = async (inputs) => ({ y: inputs.x }) as Tensors): Session {
  const spec = { dtype: "float32", shape: [null] } as const;
  const session: Session = {
    model: "echo",
    signature: { inputs: { x: spec }, outputs: { y: spec } },
    backend: "cpu",
    location: "local",
    keepsState: false,
    run,
    stream: (items, options) => stream(session, items, options),
    memory: async () => ({ deviceBytes: 0, tensors: 0 }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return session;
}

/** The two ends, with a structured clone between them as a thread boundary makes it. */
function connect(open: () => Promise<Session>) {
  const host = createSessionHost(open);
  const remote: RemoteHost = {
    call: async (id, method, request, options) =>
      structuredClone(await host.call(id, method, structuredClone(request), options.onProgress)),
    cancel: (id) => host.cancel(id),
  };
  return openProxySession(hostTransport(remote), { model: "echo" }, { location: "local" });
}

test("a proxy session tells and runs what the session elsewhere is", async () => {
  const session = await connect(async () => echoSession());
  expect(session.backend).toBe("cpu");
  expect(await session.run({ x })).toEqual({ y: x });
});

test("an error keeps its code across the boundary", async () => {
  const failing = connect(async () => {
    throw new InferenceError("not-found", "no such model");
  });
  await expect(failing).rejects.toMatchObject({ name: "InferenceError", code: "not-found", message: "no such model" });
});

test("a fault of the host becomes internal, with its message", async () => {
  const session = await connect(async () => echoSession(() => Promise.reject(new RangeError("too long"))));
  await expect(session.run({ x })).rejects.toMatchObject({ code: "internal", message: "too long" });
});

test("inputs are checked before anything is sent", async () => {
  let asked = 0;
  const session = await connect(async () =>
    echoSession(async () => {
      asked++;
      return {};
    }),
  );
  await expect(session.run({})).rejects.toMatchObject({ code: "invalid-argument" });
  expect(asked).toBe(0);
});

test("an abort rejects at once with the caller's reason and reaches the host", async () => {
  let tellStarted: (signal: AbortSignal) => void = () => {};
  const started = new Promise<AbortSignal>((resolve) => {
    tellStarted = resolve;
  });
  const session = await connect(async () =>
    echoSession((_inputs, options) => {
      tellStarted(options?.signal as AbortSignal);
      return new Promise(() => {}); // never ends by itself
    }),
  );
  const controller = new AbortController();
  const run = session.run({ x }, { signal: controller.signal });
  const signalThere = await started;
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(run).rejects.toBe(reason);
  expect(signalThere.aborted).toBe(true);
});
