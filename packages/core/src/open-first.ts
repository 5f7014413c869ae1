import { type InferenceError, toInferenceError } from "./errors.ts";
import type { AnyModel, Backend, ModelTypes, Session } from "./session.ts";

/** One of the ways to open a session: on a backend here, say, or on a server. */
export type Opener<M extends ModelTypes = AnyModel> = (signal: AbortSignal | undefined) => Promise<Session<M>>;

/** What becomes of a session that recovers. */
export type SessionEvent =
  /** It runs there from now on. */
  | { readonly type: "opened"; readonly backend: Backend; readonly location: Session["location"] }
  /** What it ran on is gone, or out of memory; the next run opens it again. */
  | {
      readonly type: "lost";
      readonly backend: Backend;
      readonly location: Session["location"];
      readonly error: InferenceError;
    }
  /** Runs go there from now on. `error` tells why they left the other side; null if they are back where they belong. */
  | {
      readonly type: "moved";
      readonly backend: Backend;
      readonly location: Session["location"];
      readonly error: InferenceError | null;
    }
  /** It can't be opened in one of the ways, and the next is tried. */
  | { readonly type: "refused"; readonly error: InferenceError };

/** An open session, and which of the ways it was opened in. */
export interface Opened<M extends ModelTypes> {
  readonly session: Session<M>;
  readonly way: number;
}

/** What the ways answered where none worked. */
export interface Refused {
  readonly refusals: readonly InferenceError[];
}

export interface OpenFirstOptions {
  /** The first way to try; those before it are not. */
  readonly from: number;
  readonly signal: AbortSignal | undefined;
  readonly tell: (event: SessionEvent) => void;
  /** Whether another way may work in spite of this error. Others end the attempt. */
  readonly isRefusal: (error: InferenceError) => boolean;
}

/** Opens a session in the first way that works. */
export async function openFirst<M extends ModelTypes>(
  openers: readonly Opener<M>[],
  { from, signal, tell, isRefusal }: OpenFirstOptions,
): Promise<Opened<M> | Refused> {
  const refusals: InferenceError[] = [];
  for (const [way, open] of openers.entries()) {
    if (way < from) continue;
    try {
      const session = await open(signal);
      tell({ type: "opened", backend: session.backend, location: session.location });
      return { session, way };
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = toInferenceError(thrown);
      if (!isRefusal(error)) throw thrown;
      refusals.push(error);
      tell({ type: "refused", error });
    }
  }
  return { refusals };
}

/** Why none of the ways worked, for a message. */
export function listReasons({ refusals }: Refused): string {
  return refusals.map(({ message }) => message).join("; ") || "no way to open it was given";
}
