// npm run bench -- server-memory [--requests 100000] [--reloads 100] [--soak_minutes 0]: a server's memory (RSS) under
// requests, reloads and clients that go away in the middle of a request; then, for so many minutes (10080 are a week),
// under all of these at once while versions of the model take each other's place, with the requests that failed. The
// server runs in a process of its own, on wasm.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";

const command = fileURLToPath(new URL("../../packages/server/bin/nearside-server.js", import.meta.url));

/** Prints the memory after each tenth of the requests, of the reloads and of the clients that go away. */
export async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: "string", default: "100000" },
      reloads: { type: "string", default: "100" },
      soak_minutes: { type: "string", default: "0" },
    },
  });
  const { requests, reloads } = values;
  const soakMs = Number(values.soak_minutes) * 60_000;
  const model = fileURLToPath(new URL("../../packages/server/testing/doubling-model.ts", import.meta.url));
  const { module } = await runnerImport(model);
  const { writeDoublingModel } = module;
  const folder = await mkdtemp(join(tmpdir(), "nearside-memory-"));
  await writeDoublingModel(join(folder, "m", "1"));
  const flags = ["--model_name=m", `--model_base_path=${join(folder, "m")}`, "--rest_api_port=0", "--port=0"];
  flags.push("--host=127.0.0.1", "--allow_model_control", "--backend=wasm");
  const child = spawn(process.execPath, [command, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const url = await urlOf(child);
    if (Number(requests) > 0) {
      await measure("requests", Number(requests), child.pid, (count) => sendPredicts(url, count));
      await measure("clients that go away", Number(requests) / 10, child.pid, (count) => crash(url, count));
    }
    if (Number(reloads) > 0) await measure("reloads", Number(reloads), child.pid, (count) => reload(url, count));
    if (soakMs > 0) {
      const soak = createSoak(url, join(folder, "m"));
      await measure("ms of all at once", soakMs, child.pid, soak.run);
      console.log(
        `${soak.counts.requests} requests, ${soak.counts.swaps} versions: ${soak.counts.failures} requests failed`,
      );
    }
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
    await rm(folder, { recursive: true });
  }
}

async function urlOf(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("REST: ")) {
      child.stdout.resume();
      return line.slice("REST: ".length);
    }
  }
  throw new Error("the server didn't start");
}

async function measure(what, total, pid, run) {
  const curve = [await residentMegabytes(pid)];
  for (let tenth = 0; tenth < 10; tenth++) {
    await run(Math.ceil(total / 10));
    curve.push(await residentMegabytes(pid));
  }
  const ratio = (curve.at(-1) / curve[5]).toFixed(3);
  console.log(`${total} ${what}: RSS ${curve.join(", ")} MB; the end beside the middle: ${ratio}×`);
}

async function residentMegabytes(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8"); // Linux tells it
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

async function sendPredicts(url, count) {
  const body = JSON.stringify({ inputs: Array.from({ length: 50 }, () => [1, 2]) });
  let left = count;
  const client = async () => {
    while (left-- > 0) await post(`${url}v1/models/m:predict`, body);
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

async function reload(url, count) {
  for (let done = 0; done < count; done++) {
    await post(`${url}v2/repository/models/m/unload`, "");
    await post(`${url}v2/repository/models/m/load`, "");
  }
}

async function isAvailable(url, version) {
  const status = await (await fetch(`${url}v1/models/m/versions/${version}`)).json(); // an error until it was seen
  return status.model_version_status?.[0]?.state === "AVAILABLE";
}

/**
 * All at once: requests, clients that go away, and new versions in the place of the one that serves; every second one is
 * its folder, renamed.
 */
function createSoak(url, basePath) {
  const counts = { requests: 0, swaps: 0, failures: 0 };
  let version = 1;
  const run = async (durationMs) => {
    const endMs = performance.now() + durationMs;
    const until = async (work) => {
      while (performance.now() < endMs) await work();
    };
    const request = async () => {
      counts.requests++;
      await sendPredicts(url, 1).catch(({ message }) => {
        counts.failures++;
        counts.lastFailure = message;
      });
    };
    const swap = async () => {
      const [old, next] = [join(basePath, String(version)), join(basePath, String(version + 1))];
      const isRenamed = version % 2 === 0;
      if (!isRenamed) await cp(old, `${next}.new`, { recursive: true });
      await rename(isRenamed ? old : `${next}.new`, next); // so that it is there all at once
      version++;
      while (!(await isAvailable(url, version))) await setTimeout(100);
      if (!isRenamed) await rm(old, { recursive: true });
      counts.swaps++;
    };
    await Promise.all([...Array.from({ length: 8 }, () => until(request)), until(() => crash(url, 1)), until(swap)]);
  };
  return { run, counts };
}

function post(url, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url}: HTTP ${response.statusCode}`));
      response.resume().once("end", resolve);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

async function crash(url, count) {
  const { port } = new URL(url);
  for (let done = 0; done < count; done++) {
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.write(`POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${"1".repeat(1000)}`);
    socket.destroy();
  }
}
