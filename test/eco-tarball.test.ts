import { cp, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import type { OpenOptions, Tensor } from "nearside";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { installProjects, type Projects } from "./eco-projects.ts";
import { type FileServer, isolatingHeaders, serveFiles } from "./file-server.ts";
import { largestError } from "./largest-error.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";
import { fromPlainTensors, type PlainTensors, toPlainTensors } from "./plain-tensors.ts";

const projects = await installProjects();
afterAll(() => projects?.[Symbol.asyncDispose]());

const anyOrigin = { "access-control-allow-origin": "*" };
const digits = await readExample("digits");

let models: ConvertedModels;
let browser: Browser;
/** Another origin, as a CDN is, with the installed packages and the models. */
let cdn: FileServer;
beforeAll(async () => {
  models = await convertModels([digits]);
  browser = await launchChromium();
  const packages = join(projects?.folder ?? "", "node_modules/");
  cdn = await serveFiles(
    {
      "/npm/nearside@0.1.0/": `${packages}nearside/`,
      "/npm/@nearside/core@0.1.0/": `${packages}@nearside/core/`,
      "/npm/": packages,
      "/models/": models.folder,
      "/vite/": join(projects?.folder ?? "", "vite/cdn"),
    },
    { ...anyOrigin, "cross-origin-resource-policy": "cross-origin" },
  );
});
afterAll(async () => {
  await browser?.close();
  await cdn?.[Symbol.asyncDispose]();
  await models?.[Symbol.asyncDispose]();
});

declare global {
  // What main.js of each project, or its like, sets.
  var openSession: typeof import("nearside").openSession;
}

/** Opens the page and runs the digits model in it as a user's code would; tells how far off the result is. */
async function runDigits(
  url: string,
  options: Pick<OpenOptions, "backend">,
): Promise<{ backend: string; error: number }> {
  const page: Page = await browser.newPage();
  page.on("pageerror", (error) => console.error("page:", error));
  page.on("console", (message) => message.type() === "error" && console.error("page:", message.text()));
  const { inputs, outputs } = digits.golden[0] as (typeof digits.golden)[number];
  try {
    await page.goto(url);
    await page.waitForFunction(() => "openSession" in globalThis);
    const { backend, result } = await page.evaluate(
      async ([url, options, { dtype, shape, data }]) => {
        const session = await globalThis.openSession(url, options);
        const image = { dtype, shape, data: Float32Array.from(data as number[]) } as Tensor; // as the file says
        const run = await session.run({ image });
        const plain = Object.entries(run).map(([name, tensor]) => [name, { ...tensor, data: [...tensor.data] }]);
        await session.close();
        return { backend: session.backend, result: Object.fromEntries(plain) };
      },
      [
        `${cdn.origin}/models/digits/model.json`,
        options,
        toPlainTensors(inputs).image as PlainTensors[string],
      ] as const,
    );
    return { backend, error: largestError(fromPlainTensors(result), outputs) };
  } finally {
    await page.close();
  }
}

async function expectDigits(url: string, backends: readonly ("webgpu" | "wasm" | "webgl" | "cpu")[]): Promise<void> {
  for (const backend of backends) {
    const run = await runDigits(url, { backend });
    expect(run.backend).toBe(backend);
    expect(run.error).toBeLessThan(1e-4);
  }
}

/** Serves a page of the plain project, which names the CDN. */
async function servePlain(name: string, headers: Readonly<Record<string, string>> = {}): Promise<FileServer> {
  const file = join(projects?.folder ?? "", "plain", name);
  const served = join(projects?.folder ?? "", "plain/served");
  await cp(file, join(served, name));
  await writeFile(join(served, name), (await readFile(file, "utf8")).replaceAll("CDN", cdn.origin));
  return serveFiles({ "/": served }, headers);
}

describe("the tarball", { timeout: 240_000 }, () => {
  const { folder, run, start } = projects ?? ({} as Projects); // the tests that use it are then skipped
  beforeEach((ctx) => {
    if (!projects) ctx.skip("the projects can't be installed, since npm's registry can't be reached");
  });

  test("runs in a page that Vite built", async () => {
    await run("vite", "vite", "build");
    await using files = await serveFiles({ "/": join(folder, "vite/dist") });
    await expectDigits(`${files.origin}/index.html`, ["webgpu", "wasm", "webgl", "cpu"]);
  });

  test("runs in a page that Vite built for a CDN, whose origin is not the page's", async () => {
    await run("vite", "vite", "build", "--outDir", "cdn", "--base", `${cdn.origin}/vite/`);
    await using files = await serveFiles({ "/": join(folder, "vite/cdn") });
    await expectDigits(`${files.origin}/index.html`, ["webgpu", "wasm"]);
  });

  test("runs in a page that webpack built", async () => {
    await run("webpack", "webpack");
    await cp(join(folder, "webpack/index.html"), join(folder, "webpack/dist/index.html"));
    await using files = await serveFiles({ "/": join(folder, "webpack/dist") });
    await expectDigits(`${files.origin}/index.html`, ["webgpu", "wasm"]);
  });

  test("runs in a page that Rollup built", async () => {
    await run("rollup", "rollup", "--config");
    await cp(join(folder, "rollup/index.html"), join(folder, "rollup/dist/index.html"));
    await using files = await serveFiles({ "/": join(folder, "rollup/dist") });
    await expectDigits(`${files.origin}/index.html`, ["webgpu", "wasm"]);
  });

  test("runs on Vite's dev server, and its plugin converts the model there", async () => {
    await cp(digits.savedModel, join(folder, "vite-plugin/saved_model"), { recursive: true });
    await using server = await start("vite-plugin", "vite", "--host", "127.0.0.1", "--port", "0");
    await expectDigits(`${server.origin}/`, ["webgpu", "wasm"]);
  });

  test.each(["--turbopack", "--webpack"])("runs in a client component that Next built with %s", async (bundler) => {
    await run("next", "next", "build", bundler);
    await using server = await start("next", "next", "start", "--port", "0");
    expect(await (await fetch(server.origin)).text()).toContain("rendered on the server, too");
    await expectDigits(`${server.origin}/`, ["webgpu", "wasm"]);
  });

  test("runs as one file from another origin, without a bundler", async () => {
    await using files = await servePlain("one-file.html");
    await expectDigits(`${files.origin}/one-file.html`, ["webgpu", "wasm", "webgl", "cpu"]);
  });

  test("runs from another origin by an import map", async () => {
    await using files = await servePlain("import-map.html");
    await expectDigits(`${files.origin}/import-map.html`, ["webgpu", "wasm"]);
  });

  test("starts its threads from another origin, too, where the page is isolated", async () => {
    await using files = await servePlain("one-file.html", isolatingHeaders);
    cdn.requests.length = 0;
    await expectDigits(`${files.origin}/one-file.html`, ["wasm"]);
    expect(cdn.requests.some((path) => path.endsWith("/wasm-thread.js"))).toBe(cpus().length > 1);
  });

  test("runs under a content security policy: webgpu under any, wasm with wasm-unsafe-eval", async () => {
    await run("vite", "vite", "build");
    const serve = (scripts: string) => {
      const policy = `default-src 'self'; script-src 'self' ${scripts}; connect-src 'self' ${cdn.origin}; img-src data:`;
      return serveFiles({ "/": join(folder, "vite/dist") }, { "content-security-policy": policy });
    };
    await using strict = await serve("");
    await expectDigits(`${strict.origin}/index.html`, ["webgpu"]);
    await expect(runDigits(`${strict.origin}/index.html`, { backend: "wasm" })).rejects.toThrow(
      'backend "wasm" cannot run',
    );
    await using withWasm = await serve("'wasm-unsafe-eval'");
    await expectDigits(`${withWasm.origin}/index.html`, ["wasm"]);
    await using elsewhere = await servePlain("one-file.html", {
      "content-security-policy": `script-src 'unsafe-inline' ${cdn.origin}; worker-src blob: ${cdn.origin}`, // the page's own is inline
    });
    await expectDigits(`${elsewhere.origin}/one-file.html`, ["webgpu"]);
  });

  test("makes a misspelt input a compile error", async () => {
    await cp(join(models.folder, "digits"), join(folder, "types/digits"), { recursive: true });
    await run("types", "tsc", "--project", "right.json");
    await expect(run("types", "tsc", "--project", "misspelt.json")).rejects.toThrow(
      /misspelt\.ts.*'imgae' does not exist/,
    );
  });
});
