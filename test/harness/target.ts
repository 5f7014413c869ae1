import {
  connectSession,
  type FallbackServer,
  InferenceError,
  type OpenOptions,
  openSession,
  type Session,
} from "nearside";

/** Which session a test in the page is about. */
export type Target =
  | {
      readonly open: string;
      readonly options?: Pick<OpenOptions, "backend" | "cache" | "headers" | "mirrors" | "precision" | "warmUp"> & {
        readonly fallback?: Omit<FallbackServer, "fetch">; // no function comes into a page
      };
    }
  | { readonly connect: string; readonly model: string };

export type Outcome<T> =
  | { readonly value: T }
  | { readonly error: { readonly code: string; readonly message: string } };

export function openTarget(
  target: Target,
  listeners: Pick<OpenOptions, "onProgress" | "onEvent"> = {},
): Promise<Session> {
  return "open" in target
    ? openSession(target.open, { ...target.options, ...listeners })
    : connectSession(target.connect, target.model);
}

/** What became of a promise, in a form that the test outside can be sent. */
export async function settle<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    const code = error instanceof InferenceError ? error.code : "not an InferenceError";
    return { error: { code, message: String(error) } };
  }
}
