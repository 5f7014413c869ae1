import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium } from "playwright";

// No sandbox: CI runs as root. The rest keeps the browser from calling home, which a closed network turns into noise.
const quietFlags = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// WebGPU without a GPU: SwiftShader computes the same on every machine. Without these flags there is no adapter.
const webgpuFlags = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

// The same for WebGL.
const webglFlags = ["--enable-unsafe-swiftshader"];

/** Starts the system's Chromium, else Playwright's own, which is installed if need be. */
export async function launchChromium({ webgpu = true } = {}): Promise<Browser> {
  const args = webgpu
    ? [...quietFlags, ...webglFlags, ...webgpuFlags]
    : [...quietFlags, "--disable-features=WebGPUService"];
  return chromium.launch({ executablePath: findChromium(), args });
}

/** The same without WebGPU, with the profile in this folder, whose `Default/Preferences` may forbid things to pages. */
export async function launchChromiumProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { executablePath: findChromium(), args: quietFlags });
}

function findChromium(): string {
  const system = ["/usr/bin/chromium", "/usr/bin/google-chrome", "/snap/bin/chromium"];
  const places = [process.env.CHROMIUM_PATH, ...system, chromium.executablePath()];
  const found = places.find((place) => place && existsSync(place));
  if (found) return found;
  console.log("No Chromium found: installing Playwright's. Set CHROMIUM_PATH to use another.");
  execFileSync("npx", ["playwright", "install", "--with-deps", "chromium"], { stdio: "inherit" });
  return chromium.executablePath();
}
