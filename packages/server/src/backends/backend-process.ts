// The entry of a backend's process: one model on one backend. Its argument is a Task as JSON.
import { createSessionHost, type Method, type Protocol } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { readModelFolder } from "../model-folder.ts";
import { openBackend, type ServerBackend } from "./open-backend.ts";
import { openSavedModel } from "./tensorflow/open-saved-model.ts";
import type { SavedModelSource } from "./tensorflow/saved-model.ts";
import { loadTensorflowPackage } from "./tensorflow/tensorflow-package.ts";

/** What the process is to run. */
export interface Task {
  readonly backend: ServerBackend;
  /** The folder of the graph model. */
  readonly folder: string;
  /** The SavedModel that it was converted from, where there is one. TensorFlow runs it in its place. */
  readonly savedModel?: SavedModelSource | undefined;
}

/** What the server's process sends. */
export type ToBackend =
  | { readonly id: number; readonly method: Method; readonly request: Protocol[Method]["request"] }
  | { readonly cancel: number };

const { backend, folder, savedModel } = JSON.parse(process.argv[2] as string) as Task; // as the server's process wrote it

const host = createSessionHost(async ({ model, warmUp = true, precision = "float32" }, { signal }) => {
  const files = await readModelFolder(folder);
  if (backend === "tensorflow" && savedModel) {
    return openSavedModel(model, savedModel, files.manifest, loadTensorflowPackage().addon);
  }
  const options = { warmUp, precision, ownsBackend: true, ...(signal && { signal }) };
  return openLocalSession(model, files, await openBackend(backend), options);
});

process.on("message", async (message: ToBackend) => {
  if ("cancel" in message) return host.cancel(message.cancel);
  const { id, method, request } = message;
  const envelope = await host.call(id, method, request);
  if (process.connected) process.send?.({ id, envelope });
});
process.on("disconnect", () => process.exit(0)); // the server has no more use for it, or is gone
// A terminal's Ctrl-C reaches the whole group, but what is in flight is to be finished.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
