import { InferenceError, type Shard } from "@nearside/core";
import { sha256 } from "./sha256.ts";

/**
 * The SHA-256 of a shard that is whole, or undefined where the platform has none. Throws `data-loss`, naming `where`,
 * if these aren't the manifest's bytes.
 */
export async function verifyShard(bytes: ArrayBuffer, shard: Shard, where: string): Promise<string | undefined> {
  if (shard.bytes !== null && bytes.byteLength !== shard.bytes) {
    throw broken(where, `${shard.bytes} bytes`, `${bytes.byteLength}`);
  }
  const hash = await sha256(bytes);
  if (shard.sha256 === null || hash === undefined || hash === shard.sha256) return hash;
  throw broken(where, `SHA-256 ${shard.sha256}`, hash);
}

/** Why a file isn't what its manifest says. */
export function broken(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("data-loss", `${where}: expected ${expected}, got ${got}; upload the model's files again`);
}
