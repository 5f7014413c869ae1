import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { convert, htmlReport } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import type { Page } from "playwright";
import { expect, onTestFinished, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { readExample } from "./models.ts";

test("the page about a conversion opens from a file, asks for nothing else and shows the graph", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { savedModel } = await readExample("digits");
  const report = await convert(readDirectory(savedModel), writeDirectory(join(folder, "out")));
  const file = join(folder, "report.html");
  await writeFile(file, htmlReport(report));

  const browser = await launchChromium({ webgpu: false });
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ colorScheme: "light" });
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);

  expect(requests).toEqual([pathToFileURL(file).href]);
  const nodes = report.details.graphs.flatMap((graph) => graph.nodes);
  expect(await page.locator("svg .box").count()).toBe(nodes.length);
  expect(await page.locator("svg .box.fused").count()).toBe(report.details.fused.length);
  const width = await pictureWidth(page);
  await page.getByLabel("50 %").check();
  expect(await pictureWidth(page)).toBeCloseTo(width / 2, 0);
  const light = await backgroundOf(page);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await backgroundOf(page)).not.toBe(light);
  expect(complaints).toEqual([]);
});

async function pictureWidth(page: Page): Promise<number> {
  return (await page.locator(".picture svg").boundingBox())?.width ?? 0;
}

function backgroundOf(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
}
