import {
  type CallOptions,
  createSessionHost,
  type OpenRequest,
  type Session,
  type SessionHost,
  type Tensors,
} from "@nearside/core";
import { type LoadedBackend, openLocalSession } from "@nearside/runtime";
import { expose, transfer } from "comlink";
import { buffersOf } from "./buffers-of.ts";
import { readManifest, shardReader } from "./download.ts";
import { filesAt, filesIn } from "./model-files.ts";

/** Makes this worker the host of one session on the backend that `openBackend` loads. */
export function serveSession(openBackend: () => Promise<LoadedBackend>): void {
  const host = createSessionHost((request, options) => open(openBackend, request, options));
  const call: SessionHost["call"] = async (id, method, request, onProgress) => {
    const envelope = await host.call(id, method, request, onProgress);
    if (method !== "run" || "error" in envelope) return envelope;
    return transfer(envelope, buffersOf(envelope.reply as Tensors)); // a run's reply
  };
  expose({ ...host, call });
}

async function open(
  openBackend: () => Promise<LoadedBackend>,
  { model, files, cache = true, warmUp = true }: OpenRequest,
  { signal, onProgress }: CallOptions,
): Promise<Session> {
  const modelFiles = files ? filesIn(files) : filesAt(model);
  const [backend, manifest] = await Promise.all([openBackend(), readManifest(modelFiles, signal)]);
  const shards = shardReader(modelFiles, manifest, { cache, onProgress });
  const session = await openLocalSession(model, { manifest, readShard: shards.read }, backend, {
    warmUp,
    ...(signal && { signal }),
  });
  await shards.settled();
  return session;
}
