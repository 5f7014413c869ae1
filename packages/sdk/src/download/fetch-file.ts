import { InferenceError } from "@nearside/core";
import { retryAfterMs } from "../retry-after.ts";

/**
 * Asks for a file once. Rejects with `not-found` for what asking again won't change, and with `unavailable` for what it
 * may: no network, a server with too much to do. Accepts parts (206) of what was asked for by range.
 */
export async function fetchFile(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    const message = `${url} cannot be reached; check the address, the network and CORS`;
    throw new InferenceError("unavailable", message, { cause });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const { status } = response;
  const mayPass = status >= 500 || passingStatuses.has(status);
  const advice =
    status === 401 || status === 403 ? "open the model with the `headers` that it asks for" : "check the address";
  throw new InferenceError(mayPass ? "unavailable" : "not-found", `${url}: HTTP ${status}; ${advice}`, {
    retryAfterMs: retryAfterMs(response),
  });
}

/** Timeout, range not satisfiable (of a file that became shorter), too early, too many requests. */
const passingStatuses: ReadonlySet<number> = new Set([408, 416, 425, 429]);
