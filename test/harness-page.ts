import type { Browser, Page } from "playwright";
import { harnessFolder } from "./build-harness.ts";
import { launchChromium } from "./chromium.ts";
import { type FileServer, isolatingHeaders, serveFiles } from "./file-server.ts";

/** The harness page in a real browser, and the server it came from. */
export interface HarnessPage extends AsyncDisposable {
  readonly page: Page;
  readonly files: FileServer;
}

export interface HarnessOptions {
  /** With WebGPU (default), or as a browser without it. */
  readonly webgpu?: boolean;
  /** Cross-origin isolated, as a page must be to share memory between threads (default not). */
  readonly isIsolated?: boolean;
  /** Its content security policy (default none). */
  readonly policy?: string;
}

/** Opens the harness page, with the models of `modelsFolder` under `/models/`. */
export async function openHarness(
  modelsFolder: string,
  { webgpu = true, isIsolated = false, policy }: HarnessOptions = {},
): Promise<HarnessPage> {
  const folders = { "/models/": modelsFolder, "/": harnessFolder };
  const files = await serveFiles(folders, {
    ...(isIsolated && isolatingHeaders),
    ...(policy && { "content-security-policy": policy }),
  });
  const browser: Browser = await launchChromium({ webgpu });
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error("page:", error));
  page.on("console", (message) => message.type() === "error" && console.error("page:", message.text()));
  await page.goto(`${files.origin}/index.html`);
  await page.waitForFunction(() => "harness" in globalThis);
  return {
    page,
    files,
    async [Symbol.asyncDispose]() {
      await browser.close();
      await files[Symbol.asyncDispose]();
    },
  };
}
