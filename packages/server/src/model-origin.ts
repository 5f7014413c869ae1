import { InferenceError, type Shard } from "@nearside/core";
import type { FastifyReply } from "fastify";
import { defaultSignature } from "./repository/load-version.ts";
import type { Repository } from "./repository/repository.ts";
import { decodePathPart } from "./route.ts";

const filePath = /^\/models\/(?<name>[^/]+)(?:\/(?<version>\d{1,19}))?\/(?<file>.+)$/i;

/**
 * Serves the files of a model's version, the newest one unless the path has another, so that a browser can run it:
 * `model.json` and the shards that it lists, nothing else; compressed, where a `.br` or `.gz` of it lies beside it.
 * A shard with its hash in its name never changes, and is cached for good; everything else is asked for again.
 * Throws `not-found`.
 */
export function sendModelFile(path: string, repository: Repository, reply: FastifyReply): FastifyReply {
  const { name, version, file } = filePath.exec(path)?.groups ?? {};
  const notFound = new InferenceError("not-found", `${path}: no such file; see /models/NAME/model.json`);
  if (name === undefined || file === undefined) throw notFound;
  const wanted = version === undefined ? undefined : BigInt(version);
  const { folder } = defaultSignature(repository.find({ name: decodePathPart(name, "model name"), version: wanted }));
  if (!folder)
    throw new InferenceError("not-found", `${path}: the model can't be converted, and runs on the server only`);
  const requested = decodePathPart(file, "path");
  const shard = folder.manifest.weightGroups.flatMap(({ shards }) => shards).find((each) => each.path === requested);
  if (!shard && requested !== "model.json") throw notFound;
  if (shard && isContentHashed(shard)) {
    return reply.sendFile(requested, folder.path, { maxAge: "365d", immutable: true });
  }
  return reply.header("cache-control", "no-cache").sendFile(requested, folder.path, { cacheControl: false });
}

function isContentHashed({ path, sha256 }: Shard): boolean {
  return sha256 !== null && path.includes(sha256.slice(0, 8));
}
