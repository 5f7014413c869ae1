import { type AnyModel, type ModelTypes, openProxySession, type Session } from "@nearside/core";

export interface ConnectOptions {
  /** Ends the connecting early: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** What sends the requests (default the platform's `fetch`). */
  readonly fetch?: typeof fetch;
}

/**
 * Opens a model on a server, by the Open Inference Protocol v2 with binary tensors: the same session as `openSession`
 * gives, elsewhere. `server` is its origin (`https://models.example.org`). Rejects with an `InferenceError`:
 * `unavailable` if it can't be reached, `not-found` if it has no such model.
 */
export async function connectSession<M extends ModelTypes = AnyModel>(
  server: string | URL,
  model: string,
  { signal, fetch: send = globalThis.fetch }: ConnectOptions = {},
): Promise<Session<M>> {
  const { httpTransport } = await import("./http-transport.ts"); // only pages that call a server load it
  return openProxySession<M>(httpTransport(server, model, send), { model }, { location: "server", signal });
}
