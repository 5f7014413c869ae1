import { InferenceError } from "@nearside/core";

/** Sends inputs. Throws `invalid-argument` where the platform doesn't let them go to a worker. */
export function handOver<T>(send: () => T): T {
  try {
    return send();
  } catch (cause) {
    const message = `inputs: ${(cause as Error).message}; use crossorigin, or no transfer`; // the platform's error
    throw new InferenceError("invalid-argument", message, { cause });
  }
}
