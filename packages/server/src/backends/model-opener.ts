import { InferenceError, listReasons, openFirst, type Session } from "@nearside/core";
import type { OpenModel, OpenUnconverted } from "../repository/load-version.ts";
import { withRun } from "../repository/with-run.ts";
import type { ServerEvent } from "../server-event.ts";
import type { Task } from "./backend-process.ts";
import { holdFolder } from "./hold-folder.ts";
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

/** Opens models in processes of their own. */
export interface ModelOpener {
  readonly openModel: OpenModel;
  /** In TensorFlow; rejects with `unsupported` where that isn't among the backends, or can't run it either. */
  readonly openUnconverted: OpenUnconverted;
}

/** What opens models so, by these options. */
export function modelOpener(options: ModelOpenerOptions): ModelOpener {
  return {
    openModel: (model, { path, manifest, savedModel }, signal) => {
      const keepsState = manifest.state.length > 0;
      const tasks = options.backends.map((backend): Task => {
        if (backend === "tensorflow" && savedModel) return { backend, savedModel, keepsState };
        return { backend, folder: path };
      });
      return openOnFirst(model, tasks, signal, options);
    },
    openUnconverted: async (model, { savedModel, refusal, keepsState }, signal) => {
      if (!options.backends.includes("tensorflow")) throw withAdvice(refusal);
      const task: Task = { backend: "tensorflow", savedModel, keepsState };
      return openOnFirst(model, [task], signal, options).catch((cause: InferenceError) => {
        if (cause.code !== "no-backend") throw cause;
        throw new InferenceError("unsupported", `${refusal.message}; and as it is: ${cause.message}`, { cause });
      });
    },
  };
}

function withAdvice(refusal: InferenceError): InferenceError {
  const advice =
    "TensorFlow would serve it as it is: npx nearside-server setup-tensorflow, then --backend=auto or tensorflow";
  return new InferenceError("unsupported", `${refusal.message}; ${advice}`, { cause: refusal });
}

async function openOnFirst(
  model: string,
  tasks: readonly Task[],
  signal: AbortSignal,
  options: ModelOpenerOptions,
): Promise<Session> {
  const openers = tasks.map((task) => () => openInstances(model, task, signal, options));
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
  task: Task,
  signal: AbortSignal,
  { instanceCount, memoryLimitBytes, onEvent }: ModelOpenerOptions,
): Promise<Session> {
  const { backend } = task;
  const held = await holdFolder(folderOf(task)); // so that a process that is started again finds the same files
  const open = async (openSignal?: AbortSignal) => {
    const placed = inFolder(task, await held.currentPath());
    const opened = await openProcessSession(model, { task: placed, memoryLimitBytes, signal: openSignal });
    if (opened.pid !== undefined) onEvent({ type: "process", model, backend, pid: opened.pid });
    return opened;
  };
  const supervise = () => superviseSession(open, { signal, onEvent: (event) => onEvent({ ...event, model, backend }) });
  const session = await openAll(supervise, instanceCount).catch(async (error: unknown) => {
    await held.release();
    throw error;
  });
  return withRun(
    session,
    (inputs, runOptions) => session.run(inputs, runOptions),
    () => held.release(),
  );
}

/** Opens as many instances as are wanted, or none. A model that keeps state has one. */
async function openAll(open: () => Promise<SupervisedSession>, instanceCount: number): Promise<Session> {
  const first = await open();
  const count = first.keepsState ? 1 : instanceCount;
  const others = await Promise.allSettled(Array.from({ length: count - 1 }, open));
  const failed = others.find((outcome) => outcome.status === "rejected");
  const opened = [first, ...others.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []))];
  if (!failed) return withInstances(opened as [SupervisedSession, ...SupervisedSession[]]); // the first is there
  await Promise.all(opened.map((session) => session.close()));
  throw failed.reason;
}

function folderOf(task: Task): string {
  return "savedModel" in task ? task.savedModel.path : task.folder;
}

function inFolder(task: Task, folder: string): Task {
  return "savedModel" in task ? { ...task, savedModel: { ...task.savedModel, path: folder } } : { ...task, folder };
}
