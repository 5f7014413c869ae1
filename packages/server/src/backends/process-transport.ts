import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import {
  type Envelope,
  hostTransport,
  InferenceError,
  type Method,
  type Protocol,
  type RunRequest,
  type Transport,
  withoutImages,
} from "@nearside/core";
import type { FromBackend, Task, ToBackend } from "./backend-process.ts";
import { watchMemory } from "./memory-limit.ts";
import { type Lease, SharedMemory } from "./shared-memory.ts";
import { receiveMessages, sendMessage } from "./socket-messages.ts";
import { loadTensors, type PassedTensors, storedBytes, storeTensors } from "./stored-tensors.ts";

export interface ProcessOptions {
  readonly task: Task;
  /** What the process may hold of the machine's memory, in bytes; it is ended beyond. */
  readonly memoryLimitBytes: number;
  /** The program of the process. */
  readonly entry?: string | undefined;
}

/** A session in a process of its own, and word of the process's end. */
export interface ProcessTransport extends Transport {
  /** Resolves with what the process died of, once it has, unless it was closed. */
  readonly death: Promise<InferenceError>;
  /** The process's number; undefined where it could not be started. */
  readonly pid: number | undefined;
}

interface WaitingCall {
  readonly method: Method;
  /** The part of the memory that is the call's until it is answered. */
  readonly lease: Lease | undefined;
  resolve(reply: Envelope<never>): void;
  reject(reason: InferenceError): void;
}

const backendEntry = fileURLToPath(new URL("./backend-process.js", import.meta.url));

/** Lets processes share a GPU, of which TensorFlow would take all, and leaves its notices out of the log. */
const tensorflowEnv = { TF_FORCE_GPU_ALLOW_GROWTH: "true", TF_CPP_MIN_LOG_LEVEL: "2" };

/** How long a process may take to end by itself. */
const exitMs = 5000;

/**
 * Starts the process of a model on a backend. Calls reject when it ends: with `no-backend` until the session is open,
 * from then on with `device-lost`, or `out-of-memory` where it held more than it may. One that has lost its device is
 * ended. Closing ends it.
 */
export function processTransport({ task, memoryLimitBytes, entry = backendEntry }: ProcessOptions): ProcessTransport {
  const env = { ...tensorflowEnv, ...process.env };
  const memory = SharedMemory.create();
  const stdio: StdioOptions = ["inherit", "inherit", "inherit", "pipe", ...(memory ? [memory.fd] : [])];
  const child = spawn(process.execPath, [...process.execArgv, entry, JSON.stringify(task)], { stdio, env });
  const socket = child.stdio?.[3] as Socket | undefined; // the pipe above; none where it could not be started
  const waiting = new Map<number, WaitingCall>();
  let largestReplyBytes = 0;
  let isOpen = false;
  let isClosing = false;
  let dead: InferenceError | undefined;
  let tellDeath: (reason: InferenceError) => void = () => {};
  const death = new Promise<InferenceError>((resolve) => {
    tellDeath = resolve;
  });
  const die = (what: string, code: "device-lost" | "out-of-memory" = "device-lost") => {
    dead ??= new InferenceError(isOpen ? code : "no-backend", `the process of backend "${task.backend}" ${what}`);
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
    if (!isClosing) tellDeath(dead);
  };
  const unwatch = watchMemory(child, memoryLimitBytes, (bytes) => {
    die(
      `held ${toMiB(bytes)} MiB, more than ${toMiB(memoryLimitBytes)}; give it more, or less at a time`,
      "out-of-memory",
    );
  });
  child.on("error", ({ message }) => die(`failed: ${message}`));
  child.on("exit", (code, signal) => {
    unwatch();
    memory?.close();
    die(signal ? `was ended by ${signal}` : `ended with ${code}`);
  });
  /** Copies what a run left in memory, and remembers how much that was: the next run's part has room for it. */
  const loadReply = (reply: PassedTensors) => {
    const outputs = loadTensors(memory?.fd ?? Number.NaN, reply); // without memory nothing lies in it
    largestReplyBytes = Math.max(largestReplyBytes, storedBytes(outputs));
    return outputs as never; // the reply of a run
  };
  const receive = ({ id, envelope }: FromBackend) => {
    const call = waiting.get(id);
    if (!call) return;
    waiting.delete(id);
    call.resolve(call.method === "run" && "reply" in envelope ? { reply: loadReply(envelope.reply) } : envelope);
    if (call.lease) memory?.release(call.lease);
    if (!("error" in envelope) || envelope.error.code !== "device-lost") return;
    die(`lost its device: ${envelope.error.message}`); // it would answer all others so
    child.kill("SIGKILL");
  };
  if (socket) receiveMessages(socket, receive);
  socket?.on("error", () => child.kill("SIGKILL")); // nobody listens any more: it has died, or its program is not ours
  const send = (message: ToBackend) => socket && sendMessage(socket, message);
  const transport = hostTransport({
    call: <M extends Method>(id: number, method: M, request: Protocol[M]["request"]) => {
      if (dead) return Promise.reject(dead);
      return new Promise<Envelope<never>>((resolve, reject) => {
        const run = method === "run" ? (request as RunRequest) : undefined; // as the protocol's table has it
        const inputs = run && withoutImages(run.inputs);
        const bytes = inputs ? Math.max(storedBytes(inputs), largestReplyBytes) : 0;
        const lease = bytes > 0 ? memory?.lease(bytes) : undefined;
        waiting.set(id, { method, lease, resolve, reject });
        if (!memory || !inputs || !lease) return send({ id, method, request });
        send({ id, method: "run", lease, request: { ...run, inputs: storeTensors(memory.fd, lease, inputs) } });
      });
    },
    cancel: (id) => {
      if (!dead) send({ cancel: id });
    },
  });
  return {
    ...transport,
    death,
    pid: child.pid,
    open: async (request, options) => {
      const info = await transport.open(request, options);
      isOpen = true;
      return info;
    },
    close: async () => {
      isClosing = true;
      if (!dead) await transport.close(null).catch(() => {}); // it is ended all the same
      await end(child, socket);
      return null;
    },
  };
}

/** Waits for the process to end, and ends it if it takes too long. */
async function end(child: ChildProcess, socket: Socket | undefined): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  socket?.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), exitMs);
  await exited;
  clearTimeout(timer);
}

function toMiB(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
