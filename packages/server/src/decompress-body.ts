import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InferenceError } from "@nearside/core";

/**
 * The body as it was before the client compressed it with gzip. How large it may become is for the reader to limit.
 * Rejects with `invalid-argument` for another encoding.
 */
export async function decompressBody(headers: IncomingHttpHeaders, body: Readable): Promise<Readable> {
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (encoding === "identity") return body;
  if (encoding !== "gzip") {
    throw new InferenceError("invalid-argument", `content-encoding: expected gzip or none, got ${encoding}`);
  }
  let receivedEncodedLength = 0;
  body.on("data", (chunk: Uint8Array) => {
    receivedEncodedLength += chunk.byteLength;
  });
  const gunzip = createGunzip();
  body.once("error", (error) => gunzip.destroy(error));
  // Fastify compares what arrived with Content-Length by this property.
  Object.defineProperty(gunzip, "receivedEncodedLength", { get: () => receivedEncodedLength });
  return body.pipe(gunzip);
}
