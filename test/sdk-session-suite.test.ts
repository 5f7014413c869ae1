import type { Opener, Session } from "@nearside/core";
import { InferenceError } from "@nearside/core";
import { type GoldenRun, sessionSuite } from "@nearside/core/testing";
import { createServer, openSession } from "@nearside/server";
import { connectSession, withFallback } from "nearside";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";

let models: ConvertedModels;
let golden: GoldenRun;
let server: ReturnType<typeof createServer>;
beforeAll(async () => {
  const digits = await readExample("digits");
  golden = digits.golden[0] as GoldenRun;
  models = await convertModels([digits]);
  server = createServer({
    models: [{ name: "digits", basePath: `${models.folder}/digits` }],
    host: "127.0.0.1",
    restPort: 0,
  });
  await server.listen();
});
afterAll(async () => {
  await server?.close();
  await models?.[Symbol.asyncDispose]();
});

const openNear: Opener = () => openSession(`${models.folder}/digits`, { backend: "wasm" });
const openFar: Opener = () => connectSession(server.url as string, "digits");
const lost = new InferenceError("device-lost", "the test took the device");

/** A session whose first run finds the device lost. */
async function openLosing(): Promise<Session> {
  const session = await openNear(undefined);
  let runs = 0;
  const run: Session["run"] = async (inputs, options) => {
    if (runs++ === 0) throw lost;
    return session.run(inputs, options);
  };
  return new Proxy(session, {
    get: (target, name) => {
      const value: unknown = name === "run" ? run : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe.each([
  ["that is well", openNear],
  ["that can't be opened", () => Promise.reject(lost)],
  ["that was lost in its first run", openLosing],
] as const)("a session with a fallback, over a near side %s", (_how, near) => {
  test.each(sessionSuite.map((suiteCase) => [suiteCase.name, suiteCase] as const))("%s", async (_name, suiteCase) => {
    await suiteCase.run(() => withFallback(near, openFar), golden);
  });
});
