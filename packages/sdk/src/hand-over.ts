import { InferenceError } from "@nearside/core";

/** Sends inputs. Throws `invalid-argument` where the platform doesn't let them go to a worker. */
export function handOver<T>(send: () => T): T {
  try {
    return send();
  } catch (cause) {
    const advice = "a picture of another origin needs crossorigin, and not every buffer can be transferred";
    throw new InferenceError("invalid-argument", `inputs: ${(cause as Error).message}; ${advice}`, { cause }); // a DOMException
  }
}
