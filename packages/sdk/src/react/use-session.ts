"use client"; // it has state and effects: Next leaves those to client components

import type { AnyModel, ModelTypes, Progress, Session } from "@nearside/core";
import { useEffect, useRef, useState } from "react";
import type { ModelUrl } from "../model-url.ts";
import { type OpenOptions, openSession } from "../open-session.ts";

/** What there is of a session for a component to show. */
export interface SessionState<M extends ModelTypes = AnyModel> {
  /** The session, once it is open. */
  readonly session: Session<M> | undefined;
  /** The last news of the download and of the shaders, once there is some. */
  readonly progress: Progress | undefined;
  /** Why it couldn't be opened: an `InferenceError`, where nothing else is wrong. */
  readonly error: unknown;
}

type Model<M extends ModelTypes> = ModelUrl<M> | ReadonlyMap<string, Blob>;

const nothing = { session: undefined, progress: undefined, error: undefined };

/**
 * Opens a session of the model for this component, and closes it when the component goes, or when it is given another
 * model or other options: options are compared by their values, the model's files (a `Map`) by identity. The callbacks
 * that are called are those given last. Nothing is opened on a server.
 */
export function useSession<M extends ModelTypes = AnyModel>(
  model: Model<M> | URL,
  options: Omit<OpenOptions, "signal"> = {},
): SessionState<M> {
  const source: Model<M> = model instanceof URL ? model.href : model;
  const values = JSON.stringify(options); // without the callbacks
  const [opening, setOpening] = useState<SessionState<M> & { readonly of?: readonly unknown[] }>(nothing);
  const latest = useRef(options);

  useEffect(() => {
    latest.current = options;
  });

  useEffect(() => {
    const leaving = new AbortController(); // StrictMode mounts twice: the first time ends before anything is started
    const { signal } = leaving;
    const tell = (changes: Partial<SessionState<M>>) => {
      if (!signal.aborted) setOpening((before) => ({ ...before, ...changes, of: [source, values] }));
    };
    const whenOpen = openSession<M>(source, {
      ...latest.current,
      signal,
      onProgress(progress) {
        tell({ progress });
        latest.current.onProgress?.(progress);
      },
      onEvent: (event) => latest.current.onEvent?.(event),
    });
    whenOpen.then(
      (session) => tell({ session }),
      (error: unknown) => tell({ error }),
    );
    return () => {
      leaving.abort();
      setOpening(nothing);
      whenOpen.then(
        (session) => session.close(),
        () => {}, // it was told, or is nobody's concern any more
      );
    };
  }, [source, values]);

  // Until the effects run, what is known is of the model before.
  return opening.of?.[0] === source && opening.of[1] === values ? opening : nothing;
}
