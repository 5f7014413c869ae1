// The entry of a backend's process: one model on one backend. Arguments: the backend and the model's folder.
import { createSessionHost, type Method, type Protocol } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { readModelFolder } from "../model-folder.ts";
import { openBackend, type ServerBackend } from "./open-backend.ts";

/** What the server's process sends. */
export type ToBackend =
  | { readonly id: number; readonly method: Method; readonly request: Protocol[Method]["request"] }
  | { readonly cancel: number };

const [backend, folder] = process.argv.slice(2) as [ServerBackend, string]; // as fork passes them

const host = createSessionHost(async ({ model, warmUp = true, precision = "float32" }, { signal }) => {
  const options = { warmUp, precision, ownsBackend: true, ...(signal && { signal }) };
  return openLocalSession(model, await readModelFolder(folder), await openBackend(backend), options);
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
