import { type AnyModel, InferenceError, type ModelTypes, openProxySession, type Session } from "@nearside/core";
import { workerTransport } from "./worker-transport.ts";

export interface ConnectOptions {
  /** Ends the connecting early: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** What sends the requests (default the platform's `fetch`). */
  readonly fetch?: typeof fetch;
}

/**
 * Opens a model on a server, by the Open Inference Protocol v2 with binary tensors: the same session as `openSession`
 * gives, elsewhere. `server` is its origin (`https://models.example.org`). A page calls it from a worker, unless it has
 * none, or gives a `fetch` of its own. Rejects with an `InferenceError`: `unavailable` if it can't be reached,
 * `not-found` if it has no such model.
 */
export async function connectSession<M extends ModelTypes = AnyModel>(
  server: string | URL,
  model: string,
  { signal, fetch }: ConnectOptions = {},
): Promise<Session<M>> {
  const { href, protocol } = new URL(server, globalThis.location?.href);
  if (!/^https?:$/.test(protocol)) {
    // As `localhost:8501` is, a URL of the scheme `localhost`.
    throw new InferenceError("invalid-argument", `server: expected http(s)://…, got ${server}`);
  }
  if (!fetch && typeof Worker !== "undefined") {
    try {
      const transport = workerTransport("server", JSON.stringify({ server: href, model }));
      return await openProxySession<M>(transport, { model }, { location: "server", signal });
    } catch (error) {
      // Else no worker can be had; or it is the server that says so, and says so again.
      if (!(error instanceof InferenceError && error.code === "no-backend")) throw error;
    }
  }
  const { httpTransport } = await import("./http-transport.ts"); // only pages that need it here download it
  const transport = httpTransport(href, model, fetch ?? globalThis.fetch);
  return openProxySession<M>(transport, { model }, { location: "server", signal });
}
