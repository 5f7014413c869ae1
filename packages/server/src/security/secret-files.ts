import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { InferenceError } from "@nearside/core";

/** The bytes of a file of certificates, keys or tokens. Throws `invalid-argument` where it can't be read. */
export function readSecretFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new InferenceError("invalid-argument", `${path}: expected a file that can be read`, { cause });
  }
}

/** How often files are looked at: often enough for what is renewed days before it ends. */
const defaultPollMs = 5000;

/**
 * Calls `onChange` after one of these files has changed, also where it is a link to another file by then, as Kubernetes
 * has its secrets. Looks at them every `pollMs`. Returns what ends that.
 */
export function watchSecretFiles(paths: readonly string[], onChange: () => void, pollMs = defaultPollMs): () => void {
  for (const path of paths) watchFile(path, { interval: pollMs, persistent: false }, onChange);
  return () => {
    for (const path of paths) unwatchFile(path, onChange);
  };
}
