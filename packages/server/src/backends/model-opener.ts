import { InferenceError, listReasons, openFirst, type Session } from "@nearside/core";
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
  return (model, folder, signal) => openOnFirst(model, folder, signal, options);
}

async function openOnFirst(
  model: string,
  folder: ModelFolder,
  signal: AbortSignal,
  options: ModelOpenerOptions,
): Promise<Session> {
  const openers = options.backends.map((backend) => () => openInstances(model, folder, backend, signal, options));
  const isRefusal = ({ code }: InferenceError) => code === "no-backend";
  const opened = await openFirst(openers, { from: 0, signal, tell: () => {}, isRefusal });
  if ("session" in opened) return opened.session;
  const [only, ...others] = opened.refusals;
  if (only && others.length === 0) throw only;
  throw new InferenceError("no-backend", `no backend here can run ${model}: ${listReasons(opened)}`, {
    cause: new AggregateError(opened.refusals),
  });
}

async function openInstances(
  model: string,
  folder: ModelFolder,
  backend: ServerBackend,
  signal: AbortSignal,
  { instanceCount, memoryLimitBytes, onEvent }: ModelOpenerOptions,
): Promise<Session> {
  const task = { backend, folder: folder.path, savedModel: folder.savedModel };
  const open = async (openSignal?: AbortSignal) => {
    const opened = await openProcessSession(model, { task, memoryLimitBytes, signal: openSignal });
    if (opened.pid !== undefined) onEvent({ type: "process", model, backend, pid: opened.pid });
    return opened;
  };
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
