import { InferenceError, type Shard } from "@nearside/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { pathOf } from "./path-of.ts";
import { defaultSignature } from "./repository/load-version.ts";
import type { Repository } from "./repository/repository.ts";
import { decodePathPart } from "./route.ts";

const filePath = /^\/models\/(?<name>[^/]+)(?:\/(?<version>\d{1,19}))?\/(?<file>.+)$/i;

/**
 * Serves the files of a model's version, the newest one unless the path has another, so that a browser can run it:
 * `model.json` and the shards that it lists, nothing else; compressed, where a `.br` or `.gz` of it lies beside it.
 * A shard with its hash in its name never changes, and is cached for good; everything else is asked for again. What has
 * a hash has it as its `ETag`, so that several servers, which convert each for itself, agree. Throws `not-found`.
 */
export function sendModelFile(request: FastifyRequest, repository: Repository, reply: FastifyReply): FastifyReply {
  const path = pathOf(request);
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
  const isForGood = shard !== undefined && isContentHashed(shard);
  reply.header("cache-control", isForGood ? "public, max-age=31536000, immutable" : "no-cache");
  const sha256 = shard ? shard.sha256 : folder.manifestSha256;
  if (sha256 === null) return reply.sendFile(requested, folder.path, { cacheControl: false }); // by size and time
  const tag = `W/"${sha256.slice(0, 32)}"`; // weak: of the file, however it is compressed
  reply.header("etag", tag);
  if (isAmong(tag, request.headers["if-none-match"])) return reply.code(304).send();
  return reply.sendFile(requested, folder.path, { cacheControl: false, etag: false });
}

function isContentHashed({ path, sha256 }: Shard): boolean {
  return sha256 !== null && path.includes(sha256.slice(0, 8));
}

/** Whether a client has what a tag names, by its `If-None-Match`. */
function isAmong(tag: string, known: string | undefined): boolean {
  return known?.split(",").some((each) => each.trim() === tag || each.trim() === "*") ?? false;
}
