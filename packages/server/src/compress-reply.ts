import type { IncomingHttpHeaders } from "node:http";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { HttpReply } from "./route.ts";

/** Below it, compression saves no packet. */
const minBytes = 1024;

/**
 * The reply with its JSON compressed, for a client that accepts gzip. Tensors as bytes are left alone: they hardly get
 * smaller, and every browser says that it accepts gzip.
 */
export async function compressReply(headers: IncomingHttpHeaders, reply: HttpReply): Promise<HttpReply> {
  if (reply.headers["content-type"] !== "application/json" || reply.body.length < minBytes) return reply;
  const withVary = { ...reply, headers: { ...reply.headers, vary: "accept-encoding" } };
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0+)?\s*(,|$))/i.test(String(headers["accept-encoding"] ?? ""))) return withVary;
  const body = await promisify(gzip)(reply.body, { level: constants.Z_BEST_SPEED });
  return { ...withVary, headers: { ...withVary.headers, "content-encoding": "gzip" }, body };
}
