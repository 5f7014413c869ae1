import type { ModelTypes, Opener, Session, SessionEvent } from "@nearside/core";
import { connectSession } from "../connect-session.ts";
import type { ModelSource } from "../model-source.ts";
import { type FallbackPolicy, withFallback } from "./with-fallback.ts";

/** A model on a server, and when to use it. */
export interface FallbackServer {
  readonly server: string | URL;
  readonly model: string;
  /** What sends the requests (default the platform's `fetch`), as to add a token. */
  readonly fetch?: typeof fetch;
  readonly when?: FallbackPolicy & {
    /** A model whose weights have more bytes, as they are stored, is not opened here. */
    readonly memoryLimitBytes?: number;
  };
}

/** The model here, as far as it matters to a fallback. */
export interface NearModel<M extends ModelTypes> {
  readonly source: ModelSource;
  readonly open: Opener<M>;
}

export interface ServerOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: SessionEvent) => void) | undefined;
}

/** Opens a model here with a server to fall back to. */
export async function openWithServer<M extends ModelTypes>(
  near: NearModel<M>,
  { server, model, fetch, when: { memoryLimitBytes, ...policy } = {} }: FallbackServer,
  { signal, onEvent }: ServerOptions,
): Promise<Session<M>> {
  const openNear: Opener<M> = async (signal) => {
    if (memoryLimitBytes !== undefined) {
      const { checkMemoryLimit } = await import("./check-memory-limit.ts"); // with what reads a manifest
      await checkMemoryLimit(near.source, memoryLimitBytes, signal);
    }
    return near.open(signal);
  };
  const openFar: Opener<M> = async (signal) => {
    const session = await connectSession<M>(server, model, { ...(fetch && { fetch }), ...(signal && { signal }) });
    onEvent?.({ type: "opened", backend: session.backend, location: session.location });
    return session;
  };
  return withFallback(openNear, openFar, { ...policy, signal, onEvent });
}
