import { InferenceError } from "@nearside/core";

/** Sends inputs. Throws `invalid-argument` where the platform doesn't let them go to a worker. */
export function handOver<T>(send: () => T): T {
  try {
    return send();
  } catch (cause) {
    const advice = "pictures of other origins need crossorigin; some buffers have no transfer";
    throw new InferenceError("invalid-argument", `inputs: ${(cause as Error).message}; ${advice}`, { cause }); // a DOMException
  }
}
