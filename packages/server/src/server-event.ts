import type { Backend, InferenceError } from "@nearside/core";

/** What a server tells about itself, for logs. */
export type ServerEvent =
  | { readonly type: "loading"; readonly model: string; readonly version: bigint }
  | {
      readonly type: "available";
      readonly model: string;
      readonly version: bigint;
      readonly backend: Backend;
      readonly loadMs: number;
    }
  | { readonly type: "failed"; readonly model: string; readonly version: bigint; readonly error: InferenceError }
  /** A signature of a version that is available can't be run here. */
  | {
      readonly type: "refused";
      readonly model: string;
      readonly version: bigint;
      readonly signature: string;
      readonly error: InferenceError;
    }
  /** The requests that lie beside a version were run, or one of them failed, which fails the load. */
  | {
      readonly type: "warm-up";
      readonly model: string;
      readonly version: bigint;
      readonly path: string;
      /** How many were run. */
      readonly records: number;
      readonly durationMs: number;
      readonly error: InferenceError | null;
    }
  | { readonly type: "unloaded"; readonly model: string; readonly version: bigint }
  /** The base path of a model holds nothing to serve. */
  | { readonly type: "no-version"; readonly model: string; readonly error: InferenceError }
  /** The address of a model can't be reached; what was found there before is served. */
  | { readonly type: "unreachable"; readonly model: string; readonly error: InferenceError }
  /** The file that lists the models can't be read, or asks for what can't be; what was served before goes on. */
  | { readonly type: "bad-config"; readonly error: InferenceError }
  /** The certificate was replaced; new connections get the new one. */
  | { readonly type: "new-certificate" }
  /** A file of certificates or tokens that changed can't be used; the one before is kept. */
  | { readonly type: "bad-secret"; readonly error: InferenceError }
  /** Where models run, and why there. */
  | { readonly type: "backend"; readonly backend: Backend; readonly reason: string }
  /** A process that runs a model was started. */
  | { readonly type: "process"; readonly model: string; readonly backend: Backend; readonly pid: number }
  /** The process of a model died; it is started again. */
  | { readonly type: "lost"; readonly model: string; readonly backend: Backend; readonly error: InferenceError }
  | { readonly type: "restarted"; readonly model: string; readonly backend: Backend; readonly afterMs: number }
  /** Requests that are to be kept can't be written; told once until they can again. */
  | { readonly type: "request-log"; readonly model: string; readonly error: InferenceError }
  /** A request failed by a fault of the server, not of the client. */
  | { readonly type: "fault"; readonly path: string; readonly error: unknown };

/** An event as one line of a log. */
export function formatEvent(event: ServerEvent): string {
  switch (event.type) {
    case "loading":
      return `${event.model}: loading version ${event.version}`;
    case "available":
      return `${event.model}: version ${event.version} is available on ${event.backend} (${Math.round(event.loadMs)} ms)`;
    case "failed":
      return `${event.model}: version ${event.version} failed to load: ${event.error.message}`;
    case "refused":
      return `${event.model}: version ${event.version}: signature "${event.signature}" is not served: ${event.error.message}`;
    case "warm-up": {
      const outcome = event.error === null ? "" : ", and then one failed";
      return `${event.model}: version ${event.version}: ran ${event.records} warm-up requests (${Math.round(event.durationMs)} ms)${outcome}`;
    }
    case "unloaded":
      return `${event.model}: version ${event.version} is unloaded`;
    case "no-version":
      return `${event.model}: nothing to serve: ${event.error.message}`;
    case "unreachable":
      return `${event.model}: what was found before is served: ${event.error.message}`;
    case "bad-config":
      return `models: ${event.error.message}`;
    case "new-certificate":
      return "new connections get the new certificate";
    case "bad-secret":
      return `the secret before is kept: ${event.error.message}`;
    case "backend":
      return `models run on ${event.backend}: ${event.reason}`;
    case "process":
      return `${event.model}: runs on ${event.backend} in process ${event.pid}`;
    case "lost":
      return `${event.model}: lost on ${event.backend}: ${event.error.message}`;
    case "restarted":
      return `${event.model}: runs again on ${event.backend} (${Math.round(event.afterMs)} ms)`;
    case "request-log":
      return `${event.model}: requests that are to be kept can't be written: ${event.error.message}`;
    case "fault":
      return `${event.path}: ${event.error instanceof Error ? event.error.stack : String(event.error)}`;
  }
}
