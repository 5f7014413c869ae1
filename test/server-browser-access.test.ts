import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InferenceServer } from "@nearside/server";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthority } from "./certificates.ts";
import { launchChromium } from "./chromium.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const echo = echoSession({ x: { dtype: "float32", shape: [null, 2] } });

let folder: string;
let site: Server;
let server: InferenceServer;
let browser: Browser;

/** Two origins with the same empty page: the server allows the first. */
const originOf = (host: string) => `http://${host}:${(site.address() as AddressInfo).port}`; // it listens on a port

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-browser-"));
  site = createServer((_request, response) => void response.setHeader("content-type", "text/html").end("<title>"));
  await new Promise<void>((resolve) => site.listen(0, resolve));
  const { cert, key } = createAuthority(folder).sign("server");
  const tokensFile = join(folder, "tokens.json");
  const sha256 = createHash("sha256").update("s3cret").digest("hex");
  await writeFile(tokensFile, JSON.stringify({ tokens: [{ name: "page", sha256, models: ["echo"] }] }));
  const corsOrigins = [originOf("localhost")];
  const tls = { certFile: cert, keyFile: key };
  server = await serverOfFakes({ echo, other: echo }, { tokensFile, corsOrigins, tls });
  browser = await launchChromium({ webgpu: false });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await new Promise((resolve) => site.close(resolve));
  await rm(folder, { recursive: true });
});

async function pageOf(host: string): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(originOf(host));
  return page;
}

/** What a page gets for a predict request: the status and the answer, or the error of its fetch. */
function predict(page: Page, { token, model = "echo" }: { token?: string; model?: string }) {
  const url = `${server.url}/v1/models/${model}:predict`;
  return page.evaluate(
    async ([address, header]) => {
      try {
        const headers = { "content-type": "application/json", ...(header && { authorization: header }) };
        const response = await fetch(address, { method: "POST", headers, body: '{"instances": [[1, 2]]}' });
        return [response.status, await response.json()];
      } catch (error) {
        return String(error);
      }
    },
    [url, token === undefined ? "" : `Bearer ${token}`] as const,
  );
}

describe("a page in Chromium, over HTTPS to a server of another origin", () => {
  test("that is allowed gets its answer with a token, and why not without", async () => {
    const page = await pageOf("localhost");
    expect(await predict(page, { token: "s3cret" })).toEqual([200, { predictions: [[1, 2]] }]);
    expect(await predict(page, {})).toEqual([401, { error: expect.stringContaining("Bearer token") }]);
    expect(await predict(page, { token: "wrong" })).toEqual([401, { error: expect.stringContaining("not one of") }]);
    const refused = { error: expect.stringContaining('may not use model "other"') };
    expect(await predict(page, { token: "s3cret", model: "other" })).toEqual([403, refused]);
  });

  test("that is not allowed gets nothing, token or not", async () => {
    const page = await pageOf("127.0.0.1");
    expect(await predict(page, { token: "s3cret" })).toBe("TypeError: Failed to fetch");
    expect(await predict(page, {})).toBe("TypeError: Failed to fetch");
  });
});
