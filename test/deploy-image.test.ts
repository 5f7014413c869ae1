import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseFlags } from "../packages/server/src/flags.ts";
import { writeUnconvertibleModel } from "../packages/server/testing/unconvertible-model.ts";
import { commandWorks } from "./command-works.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const deploy = join(root, "packages/server/deploy");

/** An image with Node, npm and glibc, to build on. Building takes minutes and the npm registry, so it is asked for by this. */
const base = process.env.NEARSIDE_TEST_BASE_IMAGE;
const absent =
  base !== undefined && (await commandWorks("podman", "--version"))
    ? undefined
    : "podman is not here, or NEARSIDE_TEST_BASE_IMAGE names no image to build on";
const image = "nearside-server:test";
const model = join(root, "examples/models/linear-regression/saved_model");

const podman = async (...args: readonly string[]) => (await run("podman", args, { maxBuffer: 2 ** 26 })).stdout.trim();

describe("the image's entry point", () => {
  test("gives flags that the server takes, without a notice", async () => {
    const args = (await readFile(join(deploy, "entrypoint.sh"), "utf8")).match(/(?<=\s)--[a-z_]+=\S+/g) ?? [];
    expect(args).toHaveLength(4);
    expect(parseFlags(args)).toMatchObject({ run: "serve", notices: [] });
  });

  test("gives a container's flags after its own, so that they count", async () => {
    expect((await readFile(join(deploy, "entrypoint.sh"), "utf8")).trimEnd()).toMatch(/"\$@"$/);
    const command = parseFlags(["--model_name=model", "--model_base_path=/models/model", "--model_name=half"]);
    expect(command).toMatchObject({ options: { models: [{ name: "half" }] } });
  });
});

describe("the image", () => {
  const name = `nearside-image-${process.pid}`;
  const underKserve = `nearside-kserve-${process.pid}`;
  let ended: Promise<number | null>;
  let url: string;

  beforeAll(async () => {
    if (absent) return;
    const file = ["--file", join(deploy, "Dockerfile"), "--ignorefile", join(deploy, "Dockerfile.dockerignore")];
    await podman("build", "--build-arg", `BASE=${base}`, ...file, "--tag", image, root);
    const rights = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
    const place = ["--network=host", "--volume", `${model}:/models/regression/1:ro`, "--env", "MODEL_NAME=regression"];
    const flags = ["--host=127.0.0.1", "--port=0", "--rest_api_port=0"];
    ({ ended, url } = await start(name, [...rights, ...place], flags));
  }, 600_000);
  afterAll(async () => {
    if (!absent) await podman("rm", "--force", "--ignore", "--volumes", name, underKserve);
  });

  test("is at most 250 MB larger than its base", async (ctx) => {
    if (absent) return ctx.skip(absent);
    const sizes = [String(base), image].map((name) => podman("image", "inspect", "--format", "{{.Size}}", name));
    const [baseBytes = 0, bytes = 0] = (await Promise.all(sizes)).map(Number);
    console.log(`the image has ${((bytes - baseBytes) / 1e6).toFixed(0)} MB above its base`);
    expect(bytes).toBeGreaterThan(baseBytes);
    expect(bytes - baseBytes).toBeLessThanOrEqual(250e6);
  });

  test("runs as a user with no rights, who can write to /cache alone", async (ctx) => {
    if (absent) return ctx.skip(absent);
    expect(await podman("exec", name, "id", "-u")).toBe("1000");
    for (const path of ["/app/x", "/tmp/x", "/home/x"]) {
      await expect(podman("exec", name, "touch", path), path).rejects.toThrow(
        /Read-only file system|Permission denied/,
      );
    }
    expect(await podman("exec", name, "ls", "/cache")).toBe("nearside");
  });

  test("answers its probes and requests, and is scraped", async (ctx) => {
    if (absent) return ctx.skip(absent);
    for (const probe of ["/livez", "/readyz"]) expect((await fetch(url + probe)).status, probe).toBe(200);
    const request = { method: "POST", body: JSON.stringify({ instances: [[1], [2]] }) };
    const reply = await fetch(`${url}/v1/models/regression:predict`, request);
    expect(await reply.json()).toEqual({ predictions: [[expect.any(Number)], [expect.any(Number)]] });
    const metrics = await fetch(`${url}/metrics`).then((response) => response.text());
    expect(metrics).toMatch(/^:tensorflow:serving:request_count\{model_name="regression",status="OK"\} 1$/m);
  });

  test("has what sends traces, which is optional elsewhere", async (ctx) => {
    if (absent) return ctx.skip(absent);
    const script = 'console.log(typeof (await import("@opentelemetry/sdk-trace-node")).NodeTracerProvider)';
    const place = ["--workdir", "/app/packages/server", name];
    expect(await podman("exec", ...place, "node", "--input-type=module", "--eval", script)).toBe("function");
  });

  test("has the commands of TensorFlow Serving's image at their paths", async (ctx) => {
    if (absent) return ctx.skip(absent);
    const path = "/usr/bin/tensorflow_model_server";
    expect(await podman("exec", name, path, "--version")).toMatch(/^nearside-server \d/);
    expect(await podman("exec", name, "cat", "/usr/bin/tf_serving_entrypoint.sh")).toContain(path);
  });

  test("ends by itself after SIGTERM, before podman would kill it", async (ctx) => {
    if (absent) return ctx.skip(absent);
    await podman("stop", "--time", "50", name);
    expect(await ended).toBe(0); // killed it would be 137
  });

  describe("started as KServe starts TensorFlow Serving's", () => {
    beforeAll(async () => {
      if (absent) return;
      const [container] = parse(await readFile(join(deploy, "kserve-runtime.yaml"), "utf8")).spec.containers;
      const { command, args, securityContext } = container;
      const rights = ["--user", String(securityContext.runAsUser), "--cap-drop=ALL"];
      const place = ["--network=none", "--volume", `${model}:/mnt/models:ro`, "--entrypoint", command[0]];
      await start(
        underKserve,
        [...rights, ...place],
        args.map((each: string) => each.replace("{{.Name}}", "regression")),
      );
    }, 600_000);

    test("serves the model that is mounted", async (ctx) => {
      if (absent) return ctx.skip(absent);
      const script = `
        const { status } = await fetch("http://localhost:8080/readyz");
        const request = { method: "POST", body: JSON.stringify({ instances: [[1]] }) };
        const reply = await fetch("http://localhost:8080/v1/models/regression:predict", request);
        console.log(status, Object.keys(await reply.json()));`;
      const printed = await podman("exec", underKserve, "node", "--input-type=module", "--eval", script);
      expect(printed).toBe("200 [ 'predictions' ]");
    });
  });
});

/** An image of the target `tensorflow`, which takes minutes and gigabytes to build. */
const tensorflowImage = process.env.NEARSIDE_TEST_TENSORFLOW_IMAGE;
const noTensorflow = "NEARSIDE_TEST_TENSORFLOW_IMAGE names no image of the target tensorflow";

describe("the image with TensorFlow", () => {
  const name = `nearside-tensorflow-${process.pid}`;

  test("serves a SavedModel that can't be converted, without rights, on a read-only root", async (ctx) => {
    if (tensorflowImage === undefined) return ctx.skip(noTensorflow);
    const folder = await mkdtemp(join(tmpdir(), "nearside-image-"));
    await chmod(folder, 0o755); // the container's user is another
    await writeUnconvertibleModel(join(folder, "1"));
    const rights = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
    const place = ["--network=host", "--volume", `${folder}:/models/model:ro`];
    const flags = ["--host=127.0.0.1", "--port=0", "--rest_api_port=0"];
    try {
      const { url } = await start(name, [...rights, ...place], flags, tensorflowImage);
      const request = { method: "POST", body: '{"inputs": [1, 2]}' };
      const reply = await fetch(`${url}/v1/models/model:predict`, request);
      expect(await reply.json()).toEqual({ outputs: [1099511627777, 1099511627778] });
    } finally {
      await podman("rm", "--force", "--ignore", "--volumes", name);
      await rm(folder, { recursive: true });
    }
  }, 600_000);
});

/** Starts a container of an image; resolves once it has loaded its models, with where it listens. */
async function start(name: string, options: readonly string[], flags: readonly string[], of = image) {
  const args = ["run", "--rm", "--name", name, ...options, of, ...flags];
  const container = spawn("podman", args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => container.once("close", resolve));
  return { ended, url: await restUrl(container) };
}

/** Where a container's server listens, once it has loaded its models; rejects if it ends before. */
async function restUrl(container: ChildProcess): Promise<string> {
  let output = "";
  // The stream stays open afterwards, or the next line that the container prints would end it.
  for await (const chunk of container.stdout?.setEncoding("utf8").iterator({ destroyOnReturn: false }) ?? []) {
    output += chunk;
    const url = /^REST: (\S+)\/$/m.exec(output)?.[1];
    if (url) return url;
  }
  throw new Error(`the container ended: ${output}`);
}
