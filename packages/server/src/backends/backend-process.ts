// The entry of a backend's process: one model on one backend. Its argument is a Task as JSON.
import { Socket } from "node:net";
import { createSessionHost, type Envelope, type Method, type Protocol, type RunRequest } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { readModelFolder } from "../model-folder.ts";
import { openBackend, type ServerBackend } from "./open-backend.ts";
import type { Lease } from "./shared-memory.ts";
import { receiveMessages, sendMessage } from "./socket-messages.ts";
import { loadTensors, type PassedTensors, storeTensors } from "./stored-tensors.ts";
import { openSavedModel } from "./tensorflow/open-saved-model.ts";
import type { SavedModelSource } from "./tensorflow/saved-model.ts";
import { loadTensorflowPackage } from "./tensorflow/tensorflow-package.ts";

/** What the process is to run, and where. */
export type Task = GraphModelTask | SavedModelTask;

/** The graph model in a folder. */
export interface GraphModelTask {
  readonly backend: ServerBackend;
  readonly folder: string;
}

/** A SavedModel as it is. */
export interface SavedModelTask {
  readonly backend: "tensorflow";
  readonly savedModel: SavedModelSource;
  /** Whether its runs change variables. */
  readonly keepsState: boolean;
}

/** What the server's process sends. */
export type ToBackend =
  | { readonly id: number; readonly method: Method; readonly request: Protocol[Method]["request"] }
  | { readonly id: number; readonly method: "run"; readonly request: PassedRun; readonly lease: Lease }
  | { readonly cancel: number };

/** A run whose large tensors lie in the memory that both processes have; its part has room for those of the reply. */
export type PassedRun = Omit<RunRequest, "inputs"> & { readonly inputs: PassedTensors };

/** What the server's process is sent. */
export interface FromBackend {
  readonly id: number;
  readonly envelope: Envelope<never>;
}

/** The files after the standard ones: the way to the server's process, and the memory that it shares with this one. */
const socketFd = 3;
const memoryFd = 4;

const task = JSON.parse(process.argv[2] as string) as Task; // as the server's process wrote it

const host = createSessionHost(async ({ model, warmUp = true, precision = "float32" }, { signal }) => {
  if ("savedModel" in task) {
    const { savedModel, keepsState } = task;
    return openSavedModel(model, savedModel, { keepsState, warmUp }, loadTensorflowPackage().addon);
  }
  const files = await readModelFolder(task.folder);
  const options = { warmUp, precision, ownsBackend: true, ...(signal && { signal }) };
  return openLocalSession(model, files, await openBackend(task.backend), options);
});

const socket = new Socket({ fd: socketFd });
receiveMessages<ToBackend>(socket, async (message) => {
  if ("cancel" in message) return host.cancel(message.cancel);
  const envelope = "lease" in message ? await runInMemory(message) : await call(message);
  const answer: FromBackend = { id: message.id, envelope: envelope as Envelope<never> }; // whatever the call gives
  sendMessage(socket, answer);
});
socket.on("error", () => {}); // it is closed then
socket.on("close", () => process.exit(0)); // the server has no more use for it, or is gone
// A terminal's Ctrl-C reaches the whole group, but what is in flight is to be finished.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

function call({ id, method, request }: Exclude<ToBackend, { cancel: number } | { lease: Lease }>) {
  return host.call(id, method, request);
}

async function runInMemory({ id, request, lease }: Extract<ToBackend, { lease: Lease }>) {
  const envelope = await host.call(id, "run", { ...request, inputs: loadTensors(memoryFd, request.inputs) });
  return "reply" in envelope ? { reply: storeTensors(memoryFd, lease, envelope.reply) } : envelope;
}
