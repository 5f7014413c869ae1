import { InferenceError, type Session } from "@nearside/core";
import type { ModelFolder } from "../model-folder.ts";
import type { OpenModel } from "../repository/load-version.ts";
import type { ServerEvent } from "../server-event.ts";
import type { ServerBackend } from "./open-backend.ts";
import { openProcessSession } from "./open-process-session.ts";
import { type SupervisedSession, superviseSession } from "./supervised-session.ts";
import { withInstances } from "./with-instances.ts";

/** How a server runs its models. */
export interface ModelOpenerOptions {
  /** Where to run them: the first of these that can run the model. */
  readonly backends: readonly ServerBackend[];
  /** How many processes run each model. A model that keeps state has one. */
  readonly instanceCount: number;
  /** What each process may hold. */
  readonly memoryLimitBytes: number;
  readonly onEvent: (event: ServerEvent) => void;
}

/** Opens each model in processes of its own. */
export function modelOpener(options: ModelOpenerOptions): OpenModel {
  return (model, folder, signal) => openFirst(model, folder, signal, options);
}

async function openFirst(
  model: string,
  folder: ModelFolder,
  signal: AbortSignal,
  options: ModelOpenerOptions,
): Promise<Session> {
  const refusals: InferenceError[] = [];
  for (const backend of options.backends) {
    try {
      return await openInstances(model, folder, backend, signal, options);
    } catch (error) {
      if (!(error instanceof InferenceError) || error.code !== "no-backend") throw error;
      refusals.push(error);
    }
  }
  const [only, ...others] = refusals;
  if (only && others.length === 0) throw only;
  const message = `no backend here can run ${model}: ${refusals.map((refusal) => refusal.message).join("; ")}`;
  throw new InferenceError("no-backend", message, { cause: new AggregateError(refusals) });
}

async function openInstances(
  model: string,
  folder: ModelFolder,
  backend: ServerBackend,
  signal: AbortSignal,
  { instanceCount, memoryLimitBytes, onEvent }: ModelOpenerOptions,
): Promise<Session> {
  const task = { backend, folder: folder.path, savedModel: folder.savedModel };
  const open = (openSignal?: AbortSignal) => openProcessSession(model, { task, memoryLimitBytes, signal: openSignal });
  const supervise = () => superviseSession(open, { signal, onEvent: (event) => onEvent({ ...event, model, backend }) });
  const first = await supervise();
  const count = first.keepsState ? 1 : instanceCount;
  const others = await Promise.allSettled(Array.from({ length: count - 1 }, supervise));
  const failed = others.find((outcome) => outcome.status === "rejected");
  const opened = [first, ...others.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []))];
  if (!failed) return withInstances(opened as [SupervisedSession, ...SupervisedSession[]]); // the first is there
  await Promise.all(opened.map((session) => session.close()));
  throw failed.reason;
}
