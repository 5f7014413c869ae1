import { InferenceError } from "@nearside/core";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeSession } from "../packages/server/testing/fake-repository.ts";
import { launchChromium } from "./chromium.ts";
import { type FileServer, serveFiles } from "./file-server.ts";
import { serverOfFakes } from "./server-of-fakes.ts";

const spec = { dtype: "float32", shape: [null] } as const;
const signature = { inputs: { x: spec }, outputs: { x: spec } };
const sessions = {
  well: fakeSession(signature, (inputs) => inputs),
  busy: fakeSession(signature, () => Promise.reject(new InferenceError("unavailable", "too much to do"))),
};

let site: FileServer;
let server: Awaited<ReturnType<typeof serverOfFakes>>;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  site = await serveFiles({ "/": import.meta.dirname });
  server = await serverOfFakes(sessions, { corsOrigins: [site.origin] });
  browser = await launchChromium({ webgpu: false });
  page = await browser.newPage();
  await page.goto(`${site.origin}/harness/index.html`); // any page of another origin than the server's
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await site?.[Symbol.asyncDispose]();
});

interface Init {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** What a script of the page sees of these headers of an answer. */
async function headersSeen(path: string, names: readonly string[], init: Init) {
  const seen = await page.evaluate(
    async ([url, names, init]) => {
      const { status, headers } = await fetch(url, init);
      return { status, values: names.map((name) => headers.get(name)) };
    },
    [server.url + path, names, init] as const,
  );
  return { status: seen.status, ...Object.fromEntries(names.map((name, index) => [name, seen.values[index]])) };
}

const body = JSON.stringify({
  inputs: [{ name: "x", shape: [1], datatype: "FP32", data: [2] }],
  parameters: { binary_data_output: true },
});

test("a page of another origin sees how long to leave a busy server alone", async () => {
  const seen = await headersSeen("/v2/models/busy/infer", ["retry-after"], { method: "POST", body });
  expect(seen).toEqual({ status: 503, "retry-after": "1" });
});

test("a page of another origin sees where an answer's tensors begin", async () => {
  const name = "inference-header-content-length";
  const seen = await headersSeen("/v2/models/well/infer", [name], { method: "POST", body });
  expect(seen).toEqual({ status: 200, [name]: expect.stringMatching(/^\d+$/) });
});

test("a page of another origin sees the part and the version of a model's file that it is sent", async () => {
  const names = ["content-range", "etag", "last-modified"];
  const seen = await headersSeen("/models/well/model.json", names, { headers: { range: "bytes=10-" } });
  expect(seen.status).toBe(206);
  expect(Object.values(seen)).not.toContain(null);
});
